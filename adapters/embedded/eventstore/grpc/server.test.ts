import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants, type OutgoingHttpHeaders } from 'node:http2'
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { Call, Handler } from './call.ts'
import { frame, PREFIX_BYTES } from './messages.ts'
import { unary } from './one-request.ts'
import { createGrpcServer } from './server.ts'
import { CallError, CODE } from './status.ts'

const HEADERS = { ':method': 'POST', 'content-type': 'application/grpc' }

const echo: Handler = unary((request) => request)

/** A server with these methods, and a connection to it. */
async function serving(t: ExecutionContext, methods: Record<string, Handler>) {
  const server = createGrpcServer(new Map(Object.entries({ '/echo': echo, ...methods })), (line) => t.log(line))
  const listener = createServer(server.accept).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  const connections: ClientHttp2Session[] = []
  const connection = () => {
    const session = connectHttp2(`http://127.0.0.1:${port}`)
    session.on('error', () => {})
    connections.push(session)
    return session
  }
  t.teardown(async () => {
    await server.close()
    for (const session of connections) session.destroy()
    listener.close()
  })
  return { server, port, connection, session: connection() }
}

function open(session: ClientHttp2Session, path: string, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  const stream = session.request({ ...HEADERS, ':path': path, ...headers })
  stream.on('error', () => {})
  return stream
}

/** The status of a call, and the bytes of its answers. */
async function outcome(stream: ClientHttp2Stream): Promise<{ http?: number; code?: number; details: string; body: Buffer }> {
  const chunks: Buffer[] = []
  let fields: Record<string, unknown> = {}
  stream.on('response', (headers) => {
    fields = { ...fields, ...headers }
  })
  stream.on('trailers', (headers) => {
    fields = { ...fields, ...headers }
  })
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(stream, 'close')
  const code = fields['grpc-status']
  return {
    ...(fields[':status'] === undefined ? {} : { http: Number(fields[':status']) }),
    ...(code === undefined ? {} : { code: Number(code) }),
    details: String(fields['grpc-message'] ?? ''),
    body: Buffer.concat(chunks),
  }
}

async function ask(session: ClientHttp2Session, path: string, bytes: Buffer, headers?: OutgoingHttpHeaders) {
  const stream = open(session, path, headers)
  stream.end(bytes)
  return outcome(stream)
}

async function stillServes(t: ExecutionContext, session: ClientHttp2Session) {
  const { code, body } = await ask(session, '/echo', frame(Buffer.from('hello')))
  t.is(code, CODE.ok)
  t.is(body.subarray(PREFIX_BYTES).toString(), 'hello')
}

test('a call has a request, an answer and a status', async (t) => {
  const { session } = await serving(t, {})
  await stillServes(t, session)
})

test('credentials that nobody asked for are ignored, whatever they look like', async (t) => {
  const { session } = await serving(t, {})
  for (const authorization of ['Basic YWRtaW46Y2hhbmdlaXQ=', 'Basic', 'Bearer \u00e9', 'x'.repeat(10_000)]) {
    t.is((await ask(session, '/echo', frame(Buffer.alloc(0)), { authorization })).code, CODE.ok)
  }
})

test('a method that does not exist is unimplemented', async (t) => {
  const { session } = await serving(t, {})
  t.is((await ask(session, '/no.such.Service/Method', frame(Buffer.alloc(0)))).code, CODE.unimplemented)
  await stillServes(t, session)
})

test('a request that is no call of gRPC is refused by HTTP', async (t) => {
  const { session } = await serving(t, {})
  t.is((await ask(session, '/echo', Buffer.from('{}'), { 'content-type': 'application/json' })).http, 415)
  const get = session.request({ ':path': '/echo' })
  t.is((await outcome(get)).http, 405)
  await stillServes(t, session)
})

test('a message that claims two gigabytes ends its call before any of it is sent', async (t) => {
  const { session } = await serving(t, {})
  const stream = open(session, '/echo')
  stream.write(Buffer.from([0, 0x80, 0, 0, 0]))
  t.is((await outcome(stream)).code, CODE.resourceExhausted)
  await stillServes(t, session)
})

test('a compressed message is unimplemented', async (t) => {
  const { session } = await serving(t, {})
  t.is((await ask(session, '/echo', Buffer.from([1, 0, 0, 0, 1, 7]), { 'grpc-encoding': 'gzip' })).code, CODE.unimplemented)
  await stillServes(t, session)
})

test('a caller that leaves in the middle of a message is told so', async (t) => {
  const { session } = await serving(t, {})
  t.is((await ask(session, '/echo', frame(Buffer.alloc(100)).subarray(0, 50))).code, CODE.internal)
  t.is((await ask(session, '/echo', Buffer.from([0, 0]))).code, CODE.internal)
  await stillServes(t, session)
})

test('a method with one request takes neither none nor two', async (t) => {
  const never: Handler = unary(() => new Promise(() => {}))
  const { session } = await serving(t, { '/never': never })
  t.is((await ask(session, '/echo', Buffer.alloc(0))).code, CODE.unimplemented)
  t.is((await ask(session, '/never', Buffer.concat([frame(Buffer.alloc(1)), frame(Buffer.alloc(1))]))).code, CODE.unimplemented)
})

test('an error that is no status of the call is told to the operator alone', async (t) => {
  const broken: Handler = unary(() => {
    throw new Error('the disk is full')
  })
  const refused: Handler = unary(async () => {
    throw new CallError(CODE.notFound, 'nothing there')
  })
  const { session } = await serving(t, { '/broken': broken, '/refused': refused })
  const { code, details } = await ask(session, '/broken', frame(Buffer.alloc(1)))
  t.is(code, CODE.unavailable)
  t.false(details.includes('disk'))
  const refusal = await ask(session, '/refused', frame(Buffer.alloc(1)))
  t.is(refusal.code, CODE.notFound)
  t.is(refusal.details, 'nothing there')
})

/** A handler that does nothing, and tells when its calls have ended. */
function idle(begin: (call: Call) => void = () => {}) {
  let closed = 0
  let opened = 0
  const changes: (() => void)[] = []
  const changed = () => {
    for (const change of changes.splice(0)) change()
  }
  const handler: Handler = (call) => {
    opened += 1
    begin(call)
    changed()
    return {
      message() {},
      closed() {
        closed += 1
        changed()
      },
    }
  }
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise<void>((resolve) => changes.push(resolve))
  }
  return { handler, opened: () => opened, closed: () => closed, until }
}

test('a call ends when its deadline has passed', async (t) => {
  const waiting = idle()
  const { session } = await serving(t, { '/wait': waiting.handler })
  const { code } = await outcome(open(session, '/wait', { 'grpc-timeout': '50m' }))
  t.is(code, CODE.deadlineExceeded)
  t.is(waiting.closed(), 1)
})

test('a thousand calls that are cancelled at once are all released', async (t) => {
  const waiting = idle((call) => call.write(frame(Buffer.from('welcome'))))
  const { session } = await serving(t, { '/wait': waiting.handler })
  const streams = Array.from({ length: 1000 }, () => open(session, '/wait', { 'grpc-timeout': '1H' }))
  await waiting.until(() => waiting.opened() === 1000)
  for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL)
  await waiting.until(() => waiting.closed() === 1000)
  await stillServes(t, session)
  t.is(waiting.closed(), 1000)
})

test('a connection that is gone takes its calls with it', async (t) => {
  const waiting = idle()
  const { session, connection } = await serving(t, { '/wait': waiting.handler })
  const doomed = connection()
  for (let n = 0; n < 10; n += 1) open(doomed, '/wait')
  await waiting.until(() => waiting.opened() === 10)
  doomed.destroy()
  await waiting.until(() => waiting.closed() === 10)
  await stillServes(t, session)
})

test('calls that are opened and reset without end cost their connection, not the server', async (t) => {
  const waiting = idle()
  const { session, connection } = await serving(t, { '/wait': waiting.handler })
  const hostile = connection()
  for (let n = 0; n < 20_000 && !hostile.closed && !hostile.destroyed; n += 1) {
    open(hostile, '/wait').close(constants.NGHTTP2_CANCEL)
    if (n % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  hostile.destroy()
  await waiting.until(() => waiting.closed() === waiting.opened())
  await stillServes(t, session)
})

test('thousands of calls on one connection are served', async (t) => {
  const { session } = await serving(t, {})
  const answers = await Promise.all(Array.from({ length: 3000 }, (_, n) => ask(session, '/echo', frame(Buffer.from(String(n))))))
  t.true(answers.every(({ code, body }, n) => code === CODE.ok && body.subarray(PREFIX_BYTES).toString() === String(n)))
})

test('to a caller that does not read no more is written than it can be sent', async (t) => {
  let written = 0
  let drained = 0
  const pouring: Handler = (call) => {
    const pour = () => {
      do written += 1024
      while (call.write(frame(Buffer.alloc(1024))))
    }
    pour()
    return {
      message() {},
      drained() {
        drained += 1
        pour()
      },
    }
  }
  const { session } = await serving(t, { '/pour': pouring })
  const stream = open(session, '/pour')
  await once(stream, 'response')
  // Whatever the flow control of HTTP/2 lets through has gone when a later call has been answered.
  for (let n = 0; n < 20; n += 1) await stillServes(t, session)
  const stalled = written
  t.true(stalled < 512 * 1024, `${stalled} bytes were written`)
  for (let n = 0; n < 20; n += 1) await stillServes(t, session)
  t.is(written, stalled)
  const before = drained
  let read = 0
  stream.on('data', (chunk: Buffer) => {
    read += chunk.length
    if (read > 4 * stalled) stream.close()
  })
  await once(stream, 'close')
  t.true(drained > before, 'it goes on when the caller reads')
})

test('when too much waits to be read there is no room for more, until those who do not read have gone', async (t) => {
  const calls: Call[] = []
  const large: Handler = (call) => {
    calls.push(call)
    if (call.hasRoom()) call.write(frame(Buffer.alloc(1024 * 1024)))
    else call.end({ code: CODE.resourceExhausted, details: '' })
    return { message() {} }
  }
  const { session, connection } = await serving(t, { '/large': large })
  const idlers = [connection(), connection()]
  const outcomes = Array.from(
    { length: 200 },
    (_, n) =>
      new Promise<'stalled' | 'refused'>((resolve) => {
        const stream = open(idlers[n % 2]!, '/large')
        stream.once('response', (headers) => resolve(headers['grpc-status'] === undefined ? 'stalled' : 'refused'))
        stream.once('close', () => resolve('refused'))
      }),
  )
  const stalled = (await Promise.all(outcomes)).filter((outcome) => outcome === 'stalled').length
  t.true(stalled > 100 && stalled < 130, `${stalled} calls stalled`)
  t.false(calls[0]!.hasRoom())
  await stillServes(t, session)
  for (const idler of idlers) idler.destroy()
  while (!calls[0]!.hasRoom()) await stillServes(t, session)
})

test('a caller whose requests are not taken is slowed down, and goes on when they are', async (t) => {
  let taken = 0
  const calls: Call[] = []
  const slow: Handler = (call) => {
    calls.push(call)
    return {
      message() {
        taken += 1
        if (taken === 1) call.pause()
      },
      end: () => call.end(),
    }
  }
  const { session } = await serving(t, { '/slow': slow })
  const stream = open(session, '/slow')
  const count = 100
  const message = frame(Buffer.alloc(64 * 1024))
  for (let n = 0; n < count; n += 1) stream.write(message)
  stream.end()
  for (let n = 0; n < 20; n += 1) await stillServes(t, session)
  t.true(taken < count, `${taken} requests were taken`)
  calls[0]!.resume()
  t.is((await outcome(stream)).code, CODE.ok)
  t.is(taken, count)
})

test('garbage instead of HTTP/2 ends its connection alone', async (t) => {
  const { session, port } = await serving(t, {})
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
  for (const garbage of ['garbage\r\n\r\n', `${preface}${'\xff'.repeat(4096)}`, 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n']) {
    const socket = connectTcp(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.resume()
    socket.write(garbage, 'latin1')
    await once(socket, 'close')
  }
  await stillServes(t, session)
})

test('pings are answered', async (t) => {
  const { session } = await serving(t, {})
  await once(session, 'connect')
  await new Promise<void>((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve())))
  t.pass()
})

test('a server that stops cancels what it has begun to answer, and leaves the rest to be tried again', async (t) => {
  const answering = idle((call) => call.write(frame(Buffer.from('first'))))
  const silent = idle()
  const { server, session } = await serving(t, { '/answering': answering.handler, '/silent': silent.handler })
  const begun = open(session, '/answering')
  const waiting = outcome(open(session, '/silent'))
  await once(begun, 'response')
  await silent.until(() => silent.opened() === 1)
  const ended = once(begun, 'close')
  await server.close()
  t.is((await waiting).code, CODE.unavailable)
  await ended
  t.is(begun.rstCode, constants.NGHTTP2_CANCEL)
  t.is(answering.closed() + silent.closed(), 2)
})

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionContext, TestFn } from 'ava'
import { connect, headers, type NatsConnection } from 'nats'
import { connectMessages } from '../../adapters/nats/messages.ts'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { type Messages, NoResponders, RequestTimeout } from '../../domain/ports/messages.ts'
import { portToKeep } from '../port-to-keep.ts'
import { converse } from './nats-transcript.ts'

export type RunningServer = { url: string; port: number; close(): Promise<void> }

const bytes = (text: string) => Buffer.from(text)
const text = (payload: Uint8Array) => Buffer.from(payload).toString()
/** Tests share a server, so each speaks on subjects of its own. */
const ownSubject = () => `test-${randomBytes(8).toString('hex')}`

const HELLO = 'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n'
const SILENT = 'CONNECT {"verbose":false,"pedantic":false}\r\n'

/** Whoever answers, by the name and version that it gives itself. */
async function describe(url: string): Promise<string> {
  const client = await connect({ servers: url })
  const { server_name, version } = client.info ?? {}
  await client.close()
  return `${server_name}, version ${version}`
}

/** What a server must do for the port `Messages`, and what core NATS promises to the official client. */
export function testMessages(test: TestFn, server: string, url: string): void {
  test.before(async (t) => {
    t.log(`${server} answers as ${await describe(url)}`)
  })

  // One after another: a hundred clients that connect at once take longer, on a busy machine, than one of them waits.
  const messagesTest = (title: string, body: (t: ExecutionContext, messages: Messages) => Promise<void>) =>
    test.serial(`${server}: ${title}`, async (t) => {
      const messages = await connectMessages({ url, name: 'contract' })
      t.teardown(() => messages.close())
      await body(t, messages)
    })

  const clientTest = (title: string, body: (t: ExecutionContext, client: NatsConnection) => Promise<void>) =>
    test.serial(`${server}: ${title}`, async (t) => {
      const client = await connect({ servers: url })
      t.teardown(() => client.close())
      await body(t, client)
    })

  /** `@` stands for a subject of the test's own. */
  const rawTest = (title: string, said: string, answer: string) =>
    test.serial(`${server}: ${title}`, async (t) => {
      const own = ownSubject()
      const expected = { answer: answer.replaceAll('@', own), closed: !answer.endsWith('PONG\r\n') }
      t.deepEqual(await converse(url, said.replaceAll('@', own)), expected)
    })

  messagesTest('a request gets the answer of the service, byte for byte', async (t, messages) => {
    const subject = ownSubject()
    messages.serve(subject, async (payload) => Buffer.concat([payload, payload]))
    const payload = randomBytes(3_000)
    t.deepEqual(Buffer.from(await messages.request(subject, payload, { timeoutMs: 20_000 })), Buffer.concat([payload, payload]))
  })

  messagesTest('a request that nobody serves fails at once', async (t, messages) => {
    const started = Date.now()
    await t.throwsAsync(messages.request(ownSubject(), bytes('?'), { timeoutMs: 30_000 }), { instanceOf: NoResponders })
    t.true(Date.now() - started < 5_000)
  })

  messagesTest('a request that is not answered in time says so', async (t, messages) => {
    const subject = ownSubject()
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    messages.serve(subject, async (payload) => {
      await finished
      return payload
    })
    await t.throwsAsync(messages.request(subject, bytes('?'), { timeoutMs: 50 }), { instanceOf: RequestTimeout })
    finish()
  })

  messagesTest('an aborted request fails with the reason of the abort', async (t, messages) => {
    const subject = ownSubject()
    const reason = new Error('no longer wanted')
    const abort = new AbortController()
    messages.serve(subject, async () => {
      abort.abort(reason)
      return new Promise((resolve) => setImmediate(resolve, bytes('late')))
    })
    t.is(await t.throwsAsync(messages.request(subject, bytes('?'), { timeoutMs: 30_000, signal: abort.signal })), reason)
    t.is(await t.throwsAsync(messages.request(subject, bytes('?'), { timeoutMs: 30_000, signal: abort.signal })), reason)
  })

  messagesTest('a handler that throws fails its request at once, keeps its words, and serves the next', async (t, messages) => {
    const subject = ownSubject()
    messages.serve(subject, async (payload) => {
      if (text(payload) === 'bad') throw new Error('the secret of the handler')
      return payload
    })
    const error = await t.throwsAsync(messages.request(subject, bytes('bad'), { timeoutMs: 30_000 }), { instanceOf: Unavailable })
    t.notRegex(`${error?.message} ${error?.cause}`, /secret/)
    t.is(text(await messages.request(subject, bytes('good'), { timeoutMs: 20_000 })), 'good')
  })

  messagesTest('handlers run at the same time', async (t, messages) => {
    const subject = ownSubject()
    const arrived: (() => void)[] = []
    messages.serve(subject, async (payload) => {
      await new Promise<void>((resolve) => {
        arrived.push(resolve)
        if (arrived.length === 8) for (const release of arrived) release()
      })
      return payload
    })
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => messages.request(subject, bytes(`${index}`), { timeoutMs: 10_000 })),
    )
    t.deepEqual(answers.map(text), ['0', '1', '2', '3', '4', '5', '6', '7'])
  })

  messagesTest('a service that has too much to do says so at once', async (t, messages) => {
    const subject = ownSubject()
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    messages.serve(subject, async (payload) => {
      await released
      return payload
    })
    const outcomes = Array.from({ length: 1_300 }, async () => {
      try {
        await messages.request(subject, bytes('?'), { timeoutMs: 30_000 })
        return 'answered'
      } catch (error) {
        release()
        return ((error as Error).cause as Error).message
      }
    })
    const told = await Promise.all(outcomes)
    t.is(told.filter((outcome) => outcome === '503 busy').length, 20)
    t.is(told.filter((outcome) => outcome === 'answered').length, 1_280)
  })

  messagesTest('a service that is stopped answers what it has accepted, and is then not there', async (t, messages) => {
    const subject = ownSubject()
    let accepted = () => {}
    let release = () => {}
    const started = new Promise<void>((resolve) => (accepted = resolve))
    const stop = messages.serve(subject, async (payload) => {
      accepted()
      await new Promise<void>((resolve) => (release = resolve))
      return payload
    })
    const answer = messages.request(subject, bytes('last'), { timeoutMs: 10_000 })
    await started
    const stopped = stop()
    release()
    t.is(text(await answer), 'last')
    await stopped
    await t.throwsAsync(messages.request(subject, bytes('?'), { timeoutMs: 10_000 }), { instanceOf: NoResponders })
  })

  messagesTest('instances of a service share its requests, each handled once', async (t, messages) => {
    const subject = ownSubject()
    const other = await connectMessages({ url, name: 'contract, other instance' })
    t.teardown(() => other.close())
    let handled = 0
    const handler = async (payload: Uint8Array) => {
      handled++
      return payload
    }
    messages.serve(subject, handler)
    other.serve(subject, handler)
    await Promise.all([messages.ping(), other.ping()])
    await Promise.all(Array.from({ length: 50 }, () => messages.request(subject, bytes('?'), { timeoutMs: 10_000 })))
    t.is(handled, 50)
  })

  messagesTest('a listener hears what is published under its pattern until it leaves, whatever it throws', async (t, messages) => {
    const subject = ownSubject()
    const heard: string[] = []
    const leave = messages.subscribe(`${subject}.*`, (payload, on) => {
      heard.push(`${on.slice(subject.length)} ${text(payload)}`)
      throw new Error('a listener that fails')
    })
    messages.publish(`${subject}.a`, bytes('1'))
    messages.publish(`${subject}.a.b`, bytes('2'))
    messages.publish(`${subject}.c`, bytes('3'))
    await messages.ping()
    leave()
    messages.publish(`${subject}.d`, bytes('4'))
    await messages.ping()
    t.deepEqual(heard, ['.a 1', '.c 3'])
  })

  messagesTest('the largest message passes, a larger one is refused before it is sent', async (t, messages) => {
    const subject = ownSubject()
    messages.serve(subject, async (payload) => payload)
    const largest = randomBytes(1_048_576)
    t.true(largest.equals(await messages.request(subject, largest, { timeoutMs: 10_000 })))
    await t.throwsAsync(messages.request(subject, Buffer.alloc(1_048_577), { timeoutMs: 10_000 }), { instanceOf: RangeError })
    t.throws(() => messages.publish(subject, Buffer.alloc(1_048_577)), { instanceOf: RangeError })
    await messages.ping()
  })

  messagesTest('a subject cannot smuggle in a second operation', async (t, messages) => {
    t.throws(() => messages.publish('a 0\r\n\r\nPUB b', bytes('')), { instanceOf: TypeError })
    await t.throwsAsync(messages.request('a b', bytes(''), { timeoutMs: 10_000 }), { instanceOf: TypeError })
  })

  test(`${server}: after it is closed, everything is unavailable`, async (t) => {
    const messages = await connectMessages({ url, name: 'contract' })
    await messages.ping()
    await messages.close()
    await t.throwsAsync(messages.ping(), { instanceOf: Unavailable })
    await t.throwsAsync(messages.request(ownSubject(), bytes('?'), { timeoutMs: 10_000 }), { instanceOf: Unavailable })
    t.notThrows(() => messages.publish(ownSubject(), bytes('lost')))
  })

  clientTest('each message reaches every subscriber and one member of each queue group', async (t, client) => {
    const subject = ownSubject()
    const counts = new Map<string, number>()
    const count = (who: string) => () => counts.set(who, (counts.get(who) ?? 0) + 1)
    client.subscribe(subject, { callback: count('plain') })
    client.subscribe(subject, { callback: count('another') })
    for (const queue of ['red', 'red', 'red', 'blue', 'blue']) client.subscribe(subject, { queue, callback: count(queue) })
    for (let message = 0; message < 40; message++) client.publish(subject)
    await client.flush()
    t.deepEqual(Object.fromEntries(counts), { plain: 40, another: 40, red: 40, blue: 40 })
  })

  clientTest('a queue group that listens under a subject and a wildcard is one group', async (t, client) => {
    const subject = ownSubject()
    let received = 0
    for (const pattern of [`${subject}.a`, `${subject}.*`, `${subject}.>`])
      client.subscribe(pattern, { queue: 'workers', callback: () => received++ })
    for (let message = 0; message < 30; message++) client.publish(`${subject}.a`)
    await client.flush()
    t.is(received, 30)
  })

  clientTest('a queue group spreads messages over its members', async (t, client) => {
    const subject = ownSubject()
    const received = [0, 0, 0]
    for (const member of [0, 1, 2]) client.subscribe(subject, { queue: 'workers', callback: () => received[member]!++ })
    for (let message = 0; message < 300; message++) client.publish(subject)
    await client.flush()
    t.is(received[0]! + received[1]! + received[2]!, 300)
    // Each member missing out has a chance of 3 · (2/3)^300.
    t.true(received.every((count) => count > 0))
  })

  clientTest('wildcards stand for one token, or for one or more at the end', async (t, client) => {
    const root = ownSubject()
    const heard: string[] = []
    for (const pattern of ['a', 'a.b', 'a.*', '*.b', '*.*', 'a.>', '>', 'a.*.c', '*.b.>'])
      client.subscribe(`${root}.${pattern}`, { callback: (_, { subject }) => heard.push(`${subject.slice(root.length + 1)} → ${pattern}`) })
    for (const subject of ['a', 'a.b', 'a.b.c', 'x.b']) client.publish(`${root}.${subject}`)
    await client.flush()
    t.deepEqual(heard.sort(), [
      'a → >',
      'a → a',
      'a.b → *.*',
      'a.b → *.b',
      'a.b → >',
      'a.b → a.*',
      'a.b → a.>',
      'a.b → a.b',
      'a.b.c → *.b.>',
      'a.b.c → >',
      'a.b.c → a.*.c',
      'a.b.c → a.>',
      'x.b → *.*',
      'x.b → *.b',
      'x.b → >',
    ])
  })

  clientTest('headers arrive as they were sent, several values and an empty payload included', async (t, client) => {
    const subject = ownSubject()
    const received = client.subscribe(subject, { max: 1 })
    const sent = headers()
    sent.append('Colour', 'red')
    sent.append('Colour', 'blue')
    sent.set('Empty', '')
    client.publish(subject, undefined, { headers: sent })
    for await (const message of received) {
      t.deepEqual(message.headers?.values('Colour'), ['red', 'blue'])
      t.is(message.headers?.get('Empty'), '')
      t.is(message.data.length, 0)
    }
  })

  clientTest('a subscription with a maximum ends by itself', async (t, client) => {
    const subject = ownSubject()
    const heard: string[] = []
    client.subscribe(subject, { max: 2, callback: (_, message) => heard.push(message.string()) })
    for (const word of ['one', 'two', 'three']) client.publish(subject, word)
    await client.flush()
    t.deepEqual(heard, ['one', 'two'])
    await t.throwsAsync(client.request(subject, '', { timeout: 10_000 }), { code: '503' })
  })

  clientTest('messages of one publisher arrive in order', async (t, client) => {
    const subject = ownSubject()
    const heard: number[] = []
    client.subscribe(subject, { callback: (_, message) => heard.push(message.json<number>()) })
    const sent = Array.from({ length: 5_000 }, (_, index) => index)
    for (const index of sent) client.publish(subject, JSON.stringify(index))
    await client.flush()
    t.deepEqual(heard, sent)
  })

  clientTest('a subject may be any text without blanks', async (t, client) => {
    const subject = `${ownSubject()}.größe.鍵.*x.x>`
    const received = client.subscribe(subject, { max: 1 })
    client.publish(subject, 'ok')
    for await (const message of received) t.is(message.subject, subject)
  })

  test(`${server}: a client that wants no echo does not hear itself`, async (t) => {
    const client = await connect({ servers: url, noEcho: true })
    t.teardown(() => client.close())
    const subject = ownSubject()
    let heard = 0
    client.subscribe(subject, { callback: () => heard++ })
    client.subscribe(subject, { queue: 'workers', callback: () => heard++ })
    client.publish(subject)
    await client.flush()
    t.is(heard, 0)
  })

  test(`${server}: messages of 64 clients at once all arrive`, async (t) => {
    const subject = ownSubject()
    const clients = await Promise.all(Array.from({ length: 64 }, () => connect({ servers: url })))
    t.teardown(() => Promise.all(clients.map((client) => client.close())))
    let received = 0
    for (const client of clients) client.subscribe(subject, { callback: () => received++ })
    await Promise.all(clients.map((client) => client.flush()))
    for (const client of clients) client.publish(subject)
    await Promise.all(clients.map((client) => client.flush()))
    for (let patience = 1_000; received < 64 * 64 && patience > 0; patience--) await sleep(10)
    t.is(received, 64 * 64)
  })

  rawTest(
    'a client that only says hello is verbose',
    'SUB @.v 1\r\nPUB @.v 2\r\nhi\r\nPING\r\n',
    '+OK\r\n+OK\r\nMSG @.v 1 2\r\nhi\r\nPONG\r\n',
  )
  rawTest(
    'names are read in any case, blanks may be many, a line may end with a line feed alone',
    'connect {"verbose":false}\nsub  @.c\t 7  \nPub @.c  reply   2\nhi\r\nping\r\n',
    'MSG @.c 7 reply 2\r\nhi\r\nPONG\r\n',
  )
  rawTest(
    'a second subscription with the same id is ignored',
    `${HELLO}SUB @.d 1\r\nSUB @.e 1\r\nPUB @.e 0\r\n\r\nPUB @.d 0\r\n\r\nPING\r\n`,
    'MSG @.d 1 0\r\n\r\nPONG\r\n',
  )
  test(`${server}: nobody listening is told on the reply subject, and does not use up its maximum`, async (t) => {
    const own = ownSubject()
    const publications = `PUB ${own}.n ${own}.r.1 2\r\nhi\r\nPUB ${own}.n ${own}.r.2 0\r\n\r\n`
    const { answer } = await converse(url, `${HELLO}SUB ${own}.r.* 7\r\nUNSUB 7 1\r\n${publications}PING\r\n`)
    // Newer servers add the subject as a header.
    const told = answer.replaceAll(/HMSG (\S+) 7 \d+ \d+\r\nNATS\/1.0 503\r\n(?:Nats-Subject: \S+\r\n)?\r\n\r\n/g, '503 on $1; ')
    t.is(told, `503 on ${own}.r.1; 503 on ${own}.r.2; PONG\r\n`)
  })
  rawTest('a client without headers is not told that nobody listens', `${SILENT}SUB @.s 7\r\nPUB @.n @.s 0\r\n\r\nPING\r\n`, 'PONG\r\n')
  rawTest(
    'subscriptions to impossible subjects are refused one by one',
    `${HELLO}SUB a..b 1\r\nSUB >.a 2\r\nSUB .a 3\r\nSUB a. 4\r\nPING\r\n`,
    "-ERR 'Invalid Subject'\r\n-ERR 'Invalid Subject'\r\n-ERR 'Invalid Subject'\r\n-ERR 'Invalid Subject'\r\nPONG\r\n",
  )
  rawTest(
    'a message with an empty token in its subject reaches nobody',
    `${HELLO}SUB @.> 1\r\nPUB @..b 0\r\n\r\nPUB @. 0\r\n\r\nPING\r\n`,
    'PONG\r\n',
  )
  rawTest(
    'a pedantic client is told of a subject that cannot be published to',
    'CONNECT {"verbose":false,"pedantic":true}\r\nPUB foo.* 2\r\nhi\r\nPUB a..b 0\r\n\r\nPING\r\n',
    "-ERR 'Invalid Publish Subject'\r\n-ERR 'Invalid Publish Subject'\r\nPONG\r\n",
  )
  rawTest(
    'unsubscribing with a maximum already reached, or none that makes sense, ends at once',
    `${HELLO}SUB @.u 1\r\nUNSUB 1 x\r\nUNSUB 99\r\nPUB @.u 0\r\n\r\nPING\r\n`,
    'PONG\r\n',
  )
  rawTest(
    'header and payload sizes are kept apart',
    `${HELLO}SUB @.h 1\r\nHPUB @.h r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPING\r\n`,
    'HMSG @.h 1 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPONG\r\n',
  )
  rawTest('an unknown operation ends the connection', 'FETCH all\r\n', "-ERR 'Unknown Protocol Operation'\r\n")
  rawTest('a payload longer than announced ends the connection', `${HELLO}PUB a 2\r\nhi there\r\n`, "-ERR 'Unknown Protocol Operation'\r\n")
  rawTest(
    'a payload over the limit ends the connection before it is sent',
    `${HELLO}PUB a 1048577\r\n`,
    "-ERR 'Maximum Payload Violation'\r\n",
  )
  rawTest('a control line without end ends the connection', `${HELLO}PUB ${'a'.repeat(5_000)}`, "-ERR 'maximum control line exceeded'\r\n")
  rawTest(
    'asking for answers from nobody without headers ends the connection',
    'CONNECT {"verbose":false,"no_responders":true}\r\nPING\r\n',
    "-ERR 'no responders requires headers support'\r\n",
  )

  for (const line of ['PUB a -1', 'PUB a x', 'PUB a b c d', 'SUB a b c d', 'UNSUB 1 2 3', 'HPUB a 20 14', 'HPUB a x 14', 'CONNECT {oops'])
    test(`${server}: the malformed line "${line}" ends the connection`, async (t) => {
      const { closed, answer } = await converse(url, `${HELLO}${line}\r\n`)
      t.true(closed)
      t.notRegex(answer, /PONG|MSG/)
    })
}

/** What must hold when the server goes away and comes back. */
export function testOutages(test: TestFn, server: string, start: (port: number) => Promise<RunningServer>): void {
  test(`${server}: without a server, requests fail at once; with one again, everything works as before`, async (t) => {
    const first = await start(await portToKeep())
    const messages = await connectMessages({ url: first.url, name: 'contract' })
    t.teardown(() => messages.close())
    const subject = ownSubject()
    const silent = ownSubject()
    messages.serve(subject, async (payload) => payload)
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    messages.serve(silent, async (payload) => {
      await finished
      return payload
    })
    await messages.ping()
    const inFlight = t.throwsAsync(messages.request(silent, bytes('?'), { timeoutMs: 60_000 }), { instanceOf: Unavailable })
    await first.close()
    await inFlight
    finish()
    await t.throwsAsync(messages.request(subject, bytes('?'), { timeoutMs: 60_000 }), { instanceOf: Unavailable })
    await t.throwsAsync(messages.ping(), { instanceOf: Unavailable })
    messages.publish(subject, bytes('lost'))

    const second = await start(first.port)
    t.teardown(() => second.close())
    const answer = await untilAvailable(() => messages.request(subject, bytes('again'), { timeoutMs: 10_000 }))
    t.is(text(answer), 'again')
  })

  test(`${server}: an outage under load ends by itself, and whatever is asked meanwhile is answered in bounded time`, async (t) => {
    let loaded = true
    const first = await start(await portToKeep())
    const [messages, other] = await Promise.all(
      ['one', 'other'].map((name) => connectMessages({ url: first.url, name: `contract, ${name}` })),
    )
    t.teardown(async () => {
      loaded = false
      await Promise.all([messages!.close(), other!.close()])
    })
    const subject = ownSubject()
    const heard = new Set<string>()
    messages!.serve(`${subject}.service`, async (payload) => payload)
    messages!.subscribe(`${subject}.feed.*`, (payload) => heard.add(text(payload)))
    const outcomes = { answered: 0, refused: 0, slowest: 0 }

    /** Asks again and again, as many callers do at once. */
    async function load(worker: number): Promise<void> {
      for (let i = 0; loaded; i++) {
        const started = performance.now()
        other!.publish(`${subject}.feed.${worker}`, bytes(`${worker}:${i}`))
        try {
          await other!.request(`${subject}.service`, bytes(`${i}`), { timeoutMs: 2_000 })
          outcomes.answered++
        } catch (error) {
          t.true(error instanceof Unavailable || error instanceof NoResponders || error instanceof RequestTimeout, String(error))
          outcomes.refused++
          await sleep(5)
        }
        outcomes.slowest = Math.max(outcomes.slowest, performance.now() - started)
      }
    }

    const workers = Array.from({ length: 16 }, (_, worker) => load(worker))
    await until(() => outcomes.answered > 200)
    await first.close()
    await until(() => outcomes.refused > 200)
    const bulk = Buffer.alloc(1_000_000)
    const heapBefore = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 100; i++) other!.publish(`${subject}.feed.bulk`, bulk)
    t.true(process.memoryUsage().arrayBuffers - heapBefore < 20_000_000, 'what is published during an outage is not kept')
    const second = await start(first.port)
    t.teardown(() => second.close())
    const answeredBefore = outcomes.answered
    heard.clear()
    await until(() => outcomes.answered > answeredBefore + 200 && heard.size > 200)
    loaded = false
    await Promise.all(workers)
    t.true(outcomes.slowest < 10_000, `the slowest took ${outcomes.slowest} ms`)
  })

  test(`${server}: a client may start before the server`, async (t) => {
    const placeholder = await start(await portToKeep())
    await placeholder.close()
    const connecting = connectMessages({ url: placeholder.url, name: 'contract' })
    const server = await start(placeholder.port)
    t.teardown(() => server.close())
    const messages = await connecting
    await t.notThrowsAsync(messages.ping())
    await messages.close()
  })

  test(`${server}: a client that never finds a server gives up`, async (t) => {
    const placeholder = await start(await portToKeep())
    await placeholder.close()
    const connecting = connectMessages({ url: placeholder.url, name: 'contract', firstConnectWithinMs: 300 })
    await t.throwsAsync(connecting, { instanceOf: Unavailable })
  })
}

/** Waits for a condition, for thirty seconds at most. */
async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 30_000; !holds(); await sleep(10)) if (Date.now() > deadline) throw new Error('it never came to that')
}

/** Repeats while nobody answers, for twenty seconds at most. */
async function untilAvailable<Result>(attempt: () => Promise<Result>): Promise<Result> {
  const deadline = Date.now() + 20_000
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > deadline || !(error instanceof Unavailable || error instanceof NoResponders)) throw error
      await sleep(20)
    }
  }
}

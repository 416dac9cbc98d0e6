import test from 'ava'
import { Binary, deserialize, serialize } from 'bson'
import { encodeDocument } from '../bson/encode.ts'
import { ProtocolViolation } from './frames.ts'
import { decodeRequest, encodeReply } from './messages.ts'

const MESSAGE = 2013
const QUERY = 2004

function int32(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) buffer.writeInt32LE(value, i * 4)
  return buffer
}

function frame(opCode: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([int32(16 + body.length, 42, 0, opCode), body])
}

const bodySection = (document: object): Buffer => Buffer.concat([Buffer.of(0), serialize(document)])

function sequence(name: string, ...documents: object[]): Buffer {
  const content = Buffer.concat([Buffer.from(`${name}\0`), ...documents.map((document) => serialize(document))])
  return Buffer.concat([Buffer.of(1), int32(4 + content.length), content])
}

const bodyOf = (bytes: Buffer): unknown => {
  const request = decodeRequest(bytes)
  return 'body' in request ? request.body : request.error.codeName
}

test('a message is a command and its document sequences', (t) => {
  const bytes = frame(MESSAGE, int32(0), sequence('documents', { a: 1 }, { a: 2 }), bodySection({ insert: 'c', $db: 'd' }))
  t.deepEqual(decodeRequest(bytes), {
    requestId: 42,
    dialect: 'message',
    body: { insert: 'c', $db: 'd' },
    sequences: new Map([['documents', [{ a: 1 }, { a: 2 }].map((each) => Buffer.from(serialize(each)))]]),
  })
})

test('a checksum at the end is not taken for a section', (t) => {
  t.deepEqual(bodyOf(frame(MESSAGE, int32(1), bodySection({ ping: 1 }), int32(12345))), { ping: 1 })
})

test('a sender that has more to come wants no answer', (t) => {
  t.is(decodeRequest(frame(MESSAGE, int32(2), bodySection({ ping: 1 }))).dialect, 'none')
})

test('the handshake may come as a query, and nothing else may', (t) => {
  const query = (document: object) => frame(QUERY, int32(0), Buffer.from('admin.$cmd\0'), int32(0, 1), serialize(document))
  t.deepEqual(decodeRequest(query({ isMaster: 1 })), {
    requestId: 42,
    dialect: 'query',
    body: { isMaster: 1, $db: 'admin' },
    sequences: new Map(),
  })
  t.is(bodyOf(query({ find: 'c' })), 'UnsupportedOpQueryCommand')
})

test('compression that was not negotiated is answered with an error', (t) => {
  t.is(bodyOf(frame(2012, int32(MESSAGE, 10, 1))), 'ProtocolError')
})

test('what cannot be read is answered with an error', (t) => {
  const document = serialize({ ping: 1 })
  const cases = {
    'no body': frame(MESSAGE, int32(0)),
    'two bodies': frame(MESSAGE, int32(0), bodySection({ ping: 1 }), bodySection({ ping: 1 })),
    'an unknown section': frame(MESSAGE, int32(0), Buffer.of(7), document),
    'a document that is cut off': frame(MESSAGE, int32(0), Buffer.of(0), document.subarray(0, 8)),
    'a document that is too long': frame(MESSAGE, int32(0), Buffer.of(0), int32(2 ** 31 - 1)),
    'a negative size': frame(MESSAGE, int32(0), Buffer.of(0), int32(-5, 0)),
    'a sequence that is too long': frame(MESSAGE, int32(0), Buffer.of(1), int32(9_999), Buffer.from('x\0')),
    'a sequence without a name': frame(MESSAGE, int32(0), Buffer.of(1), int32(6), Buffer.from('xy')),
    'an invalid pattern': frame(MESSAGE, int32(0), Buffer.of(0), int32(12), Buffer.from('\x0bp\0(\0\0\0', 'latin1')),
  }
  for (const [what, bytes] of Object.entries(cases)) t.is(bodyOf(bytes), 'InvalidBSON', what)
})

test('an unknown op code, or a flag that must be understood, ends the connection', (t) => {
  t.throws(() => decodeRequest(frame(2002, int32(0))), { instanceOf: ProtocolViolation })
  t.throws(() => decodeRequest(frame(MESSAGE, int32(4), bodySection({ ping: 1 }))), { instanceOf: ProtocolViolation })
  t.throws(() => decodeRequest(frame(MESSAGE)), { instanceOf: ProtocolViolation })
})

test('nesting without end is refused', (t) => {
  let document: object = {}
  for (let depth = 0; depth < 1_000; depth++) document = { d: document }
  t.is(bodyOf(frame(MESSAGE, int32(0), bodySection(document))), 'Overflow')
})

test('what is kept of a message does not point into its buffer', (t) => {
  const bytes = frame(MESSAGE, int32(0), bodySection({ ping: new Binary(Buffer.from('secret')) }))
  const { ping } = bodyOf(bytes) as { ping: Binary }
  bytes.fill(0)
  t.is(Buffer.from(ping.buffer).toString(), 'secret')
})

test('a reply names the request it answers', (t) => {
  const message = encodeReply(42, 'message', encodeDocument({ ok: 1 }))
  t.deepEqual([message.readInt32LE(0), message.readInt32LE(8), message.readInt32LE(12)], [message.length, 42, MESSAGE])
  t.deepEqual(deserialize(message.subarray(21)), { ok: 1 })
  const reply = encodeReply(42, 'query', encodeDocument({ ok: 1 }))
  t.deepEqual([reply.readInt32LE(8), reply.readInt32LE(12), reply.readInt32LE(32)], [42, 1, 1])
  t.deepEqual(deserialize(reply.subarray(36)), { ok: 1 })
})

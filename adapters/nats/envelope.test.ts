import { decode, encode } from '@msgpack/msgpack'
import test from 'ava'
import fc from 'fast-check'
import type { Header } from '../../domain/ceremony/messages.ts'
import { runs } from '../../test/runs.ts'
import { decodeEnvelope, type Envelope, encodeEnvelope, MAX_CONTENT_BYTES, replyBytes, requestBytes } from './envelope.ts'
import { Malformed } from './shape.ts'
import { newStamp } from './stamp.ts'

const header: Header = {
  scheme: 'frost-ed25519',
  kind: 'signing',
  ceremonyId: 'c0ffee00-0000-4000-8000-000000000000',
  attempt: 2,
  round: 3,
  from: 'coordinator',
  to: 'party-1',
}
const stamp = newStamp(1_700_000_000_000)
const signature = new Uint8Array(64).fill(9)
const content = Uint8Array.of(1, 2, 3)
const malformed = { instanceOf: Malformed }

/** The widest header that there can be. */
const widest: Header = {
  scheme: 'frost-secp256k1-tr',
  kind: 'key-generation',
  ceremonyId: 'c'.repeat(64),
  attempt: 1_000_000,
  round: 32,
  from: 'f'.repeat(64),
  to: 't'.repeat(64),
}

test('an envelope is MessagePack, and is read as it was written, whatever the length of its content', (t) => {
  for (const length of [0, 255, 256, 65_535, 65_536, MAX_CONTENT_BYTES])
    for (const each of [header, widest, null]) {
      const envelope: Envelope = { header: each, stamp: each && stamp, content: new Uint8Array(length).fill(length), signature }
      const payload = encodeEnvelope(envelope)
      const read = decodeEnvelope(payload)
      t.deepEqual(
        { header: read.header, stamp: read.stamp && new Uint8Array(read.stamp), signature: read.signature },
        { header: each, stamp: envelope.stamp, signature },
      )
      t.true(Buffer.from(read.content).equals(envelope.content))
      t.is((decode(payload) as unknown[]).length, 5)
    }
})

test('every field of the header, the stamp, the content, and for a reply the request, are signed', (t) => {
  const others: Header[] = [
    { ...header, scheme: 'frost-secp256k1-tr' },
    { ...header, kind: 'revocation' },
    { ...header, ceremonyId: 'another' },
    { ...header, attempt: 1 },
    { ...header, round: 1 },
    { ...header, from: 'party-1', to: 'coordinator' },
    { ...header, to: 'party-2' },
  ]
  const signed = [
    ...[header, ...others].flatMap((each) => [requestBytes(each, stamp, content), replyBytes(each, content, content)]),
    requestBytes(header, stamp, signature),
    requestBytes(header, newStamp(1_700_000_000_000), content),
    requestBytes(header, newStamp(1_700_000_000_001), content),
    replyBytes(header, signature, content),
    replyBytes(header, content, signature),
    replyBytes(null, content, content),
  ]
  t.is(new Set(signed.map((bytes) => Buffer.from(bytes).toString('hex'))).size, signed.length)
})

test('anything else than what is written is refused', (t) => {
  const payload = encodeEnvelope({ header, stamp, content, signature })
  t.throws(() => decodeEnvelope(Uint8Array.of(...payload, 0)), malformed)
  for (let length = 0; length < payload.length; length++) t.throws(() => decodeEnvelope(payload.subarray(0, length)), malformed)
  const head = encode(header)
  const wrong: unknown[] = [
    [2, head, stamp, content, signature],
    [3, header, stamp, content, signature],
    [3, head, stamp, content],
    [3, head, content, signature],
    [3, head, stamp.subarray(1), content, signature],
    [3, head, new Uint8Array(25), content, signature],
    [3, head, stamp, content, signature.subarray(1)],
    [3, head, stamp, content, new Uint8Array(65)],
    [3, head, stamp, 'text', signature],
    [3, new Uint8Array(513), stamp, content, signature],
    [3, head, stamp, new Uint8Array(MAX_CONTENT_BYTES + 1), signature],
    { 0: 3 },
    null,
  ]
  for (const each of wrong) t.throws(() => decodeEnvelope(encode(each)), malformed)
  const headers: unknown[] = [
    null,
    [],
    { ...header, round: 0 },
    { ...header, round: 33 },
    { ...header, attempt: 1.5 },
    { ...header, to: 'a.b' },
    { ...header, from: '' },
    { ...header, scheme: 'none' },
    { ...header, x: 1 },
  ]
  for (const each of headers) t.throws(() => decodeEnvelope(encode([3, encode(each), stamp, content, signature])), malformed)
})

test('a length that claims more than there is, or nests without end, costs nothing', (t) => {
  for (const claim of [
    [0x95, 3, 0xc6, 0xff, 0xff, 0xff, 0xff],
    [0x95, 3, 0xc5, 0xff, 0xff],
    [0x95, 3, 0xc4],
    [0xdd, 0xff, 0xff, 0xff, 0xff],
  ])
    t.throws(() => decodeEnvelope(Uint8Array.from(claim)), malformed)
  t.throws(() => decodeEnvelope(new Uint8Array(1_000_000).fill(0x95)), malformed)
  t.throws(() => decodeEnvelope(new Uint8Array(16 * 1024 * 1024)), malformed)
})

test('random and mutated bytes are an envelope or refused, never anything else', (t) => {
  const valid = encodeEnvelope({ header, stamp, content, signature })
  const mutated = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }).map((changes) => {
    const copy = valid.slice()
    for (const [at, byte] of changes) copy[at % copy.length] = byte
    return copy
  })
  let readable = 0
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (payload) => {
      try {
        decodeEnvelope(payload)
        readable++
      } catch (error) {
        if (!(error instanceof Malformed)) throw error
      }
    }),
    { numRuns: runs(3_000) },
  )
  t.true(readable > 0)
})

import { encode } from '@msgpack/msgpack'
import test from 'ava'
import fc from 'fast-check'
import type { CeremonyReply, CeremonyRequest } from '../../domain/ceremony/messages.ts'
import { runs } from '../../test/runs.ts'
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from './ceremony-codec.ts'
import { Malformed } from './shape.ts'

const signature = new Uint8Array(64)
const statement = { broadcast: Uint8Array.of(1, 2), sealingKey: new Uint8Array(32), transcript: new Uint8Array(32), signature }
const heard = { statements: [{ from: 'party-2', statement }], secrets: [{ from: 'party-2', sealed: Uint8Array.of(3), signature }] }
const authorisation = { method: 'POST', path: '/v1/keys', body: '{"é":1}', intent: null }

const share = { keyId: 'key', epoch: 1, attempt: 1, publicKey: new Uint8Array(32) }
const opening = {
  id: new Uint8Array(16),
  partyId: 'party-1',
  keyId: 'key',
  epoch: 1,
  broadcast: Uint8Array.of(1),
  expiresAt: 1_700_000_000_000,
  signature: new Uint8Array(64),
}

const transaction = { chain: 'eip155:1', transferId: 'transfer', unsigned: Uint8Array.of(2), index: 3, replacement: authorisation }

const requests: CeremonyRequest[] = [
  { type: 'generateKey', key: { keyId: 'key', threshold: 2, parties: ['party-1', 'party-2'], authorisation, policy: Uint8Array.of(6) } },
  { type: 'open', share, count: 16 },
  {
    type: 'sign',
    task: {
      share,
      path: 'm/0/5',
      openings: [opening],
      authorisation: { ...authorisation, intent: 'a.b.c' },
      approvals: [authorisation],
      transaction: null,
    },
  },
  { type: 'presign', share, signers: ['party-1', 'party-2'] },
  { type: 'signTogether', task: { share, path: 'm', signers: ['party-1', 'party-2'], authorisation, approvals: [], transaction } },
  { type: 'abandon', openings: [opening.id] },
  { type: 'proceed', heard },
  { type: 'refreshKey', share, authorisation },
  { type: 'confirmRefresh', share },
  { type: 'completeRefresh', share, confirmations: [{ from: 'party-1', signature: new Uint8Array(64) }] },
  { type: 'discardRefresh', share },
  {
    type: 'recoverShare',
    recovery: {
      key: {
        ...share,
        threshold: 2,
        parties: ['party-1', 'party-2', 'party-3'],
        publicPackage: Uint8Array.of(1),
        policy: Uint8Array.of(6),
      },
      lost: 'party-1',
      helpers: ['party-2', 'party-3'],
      authorisation,
    },
  },
  { type: 'destroyShares', keyId: 'key', authorisation },
  { type: 'changePolicy', change: { keyId: 'key', version: 2, authorisation, approvals: ['a.b.c'] } },
]
const replies: CeremonyReply[] = [
  { type: 'said', statement, secrets: [{ to: 'party-2', sealed: Uint8Array.of(4), signature }] },
  { type: 'generated', publicKey: new Uint8Array(32), publicPackage: Uint8Array.of(1), policyDigest: new Uint8Array(32) },
  { type: 'opened', openings: [opening] },
  { type: 'abandoned' },
  { type: 'contributed', contribution: Uint8Array.of(5), transcript: new Uint8Array(32), broadcast: null },
  { type: 'contributed', contribution: Uint8Array.of(5), transcript: new Uint8Array(32), broadcast: Uint8Array.of(6) },
  { type: 'destroyed' },
  { type: 'confirmed', signature: new Uint8Array(64) },
  { type: 'completed' },
  { type: 'refused', code: 'busy', reason: 'no', culprits: ['party-2'] },
  { type: 'policyChanged', version: 2 },
]

test('what is encoded is decoded again, and equal contents are equal bytes', (t) => {
  for (const request of requests) {
    t.deepEqual(decodeRequest(encodeRequest(request)), request)
    t.deepEqual(encodeRequest(request), encodeRequest(structuredClone(request)))
  }
  for (const reply of replies) t.deepEqual(decodeReply(encodeReply(reply)), reply)
})

test('a field too many, too few, or of another kind is refused, at every depth', (t) => {
  const content = requests[2] as Extract<CeremonyRequest, { type: 'sign' }>
  const { task } = content
  const { task: _, ...without } = content
  const wrong: unknown[] = [
    null,
    [],
    'sign',
    { type: 'nothing' },
    { type: 'toString' },
    { ...content, extra: 1 },
    without,
    { ...content, task: { ...task, path: "m/0'" } },
    { ...content, task: { ...task, openings: [{ ...opening, partyId: '../party' }] } },
    { ...content, task: { ...task, openings: Array(8).fill(opening) } },
    { ...content, task: { ...task, openings: [{ ...opening, id: new Uint8Array(15) }] } },
    {
      type: 'proceed',
      heard: { ...heard, statements: [{ from: 'party-2', statement: { ...statement, sealingKey: new Uint8Array(31) } }] },
    },
    {
      type: 'proceed',
      heard: { ...heard, statements: [{ from: 'party-2', statement: { ...statement, signature: new Uint8Array(63) } }] },
    },
    { type: 'proceed', heard: { ...heard, secrets: [{ from: 'party-2', sealed: new Uint8Array(1) }] } },
    { type: 'open', share: { ...share, attempt: 1.5 }, count: 1 },
    { type: 'open', share: { ...share, epoch: 0 }, count: 1 },
    { type: 'open', share, count: 17 },
    { type: 'open', share, count: 0 },
  ]
  for (const each of wrong) t.throws(() => decodeRequest(encode(each)), { instanceOf: Malformed })
})

test('bytes after the end, or too few, are refused', (t) => {
  const content = encodeRequest(requests[0]!)
  t.throws(() => decodeRequest(Uint8Array.of(...content, 0)), { instanceOf: Malformed })
  t.throws(() => decodeRequest(content.subarray(0, -1)), { instanceOf: Malformed })
})

test('a length that claims more than a message may hold costs nothing', (t) => {
  for (const claim of [
    [0xdd, 0xff, 0xff, 0xff, 0xff],
    [0xdf, 0xff, 0xff, 0xff, 0xff],
    [0xc6, 0xff, 0xff, 0xff, 0xff],
    [0xdb, 0xff, 0xff, 0xff, 0xff],
  ])
    t.throws(() => decodeRequest(Uint8Array.from(claim)), { instanceOf: Malformed })
  const nested = new Uint8Array(100_000).fill(0x91)
  t.throws(() => decodeRequest(nested), { instanceOf: Malformed })
})

test('random and mutated bytes are read or refused, never anything else', (t) => {
  const valid = requests.map(encodeRequest)
  const mutated = fc
    .tuple(fc.constantFrom(...valid), fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }))
    .map(([payload, changes]) => {
      const copy = payload.slice()
      for (const [at, byte] of changes) copy[at % copy.length] = byte
      return copy
    })
  const readable = (payload: Uint8Array): boolean => {
    try {
      decodeRequest(payload)
      return true
    } catch (error) {
      if (error instanceof Malformed) return false
      throw error
    }
  }
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (payload) => {
      readable(payload)
    }),
    { numRuns: runs(3_000) },
  )
  t.true(valid.every(readable))
})

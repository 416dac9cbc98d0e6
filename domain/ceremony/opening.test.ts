import test from 'ava'
import { isGenuine, type OpenedKey, type Opening, signingTranscript, signOpening } from './opening.ts'
import type { Witness } from './sayings.ts'

const key: OpenedKey = { scheme: 'frost-ed25519', publicKey: new Uint8Array(32), keyId: 'key', epoch: 1 }
const unsigned = {
  id: new Uint8Array(16),
  keyId: 'key',
  epoch: 1,
  broadcast: new Uint8Array(64),
  expiresAt: 1_000,
}
/** A party that signs by repeating what it signs. */
const identity = { id: 'party-1', publicKey: new Uint8Array(32), sign: async (message: Uint8Array) => message }
const witness: Witness = {
  registry: { parties: new Map([['party-1', { signing: identity.publicKey, sealing: new Uint8Array(32) }]]), coordinators: new Map() },
  verify: (_, message, signature) => Buffer.compare(message, signature) === 0,
}
const opening = await signOpening(identity, key, unsigned)

test('an opening is genuine for its key until it expires', (t) => {
  t.true(isGenuine(opening, key, witness, 999))
  t.false(isGenuine(opening, key, witness, 1_000))
})

test('every field of it, and the key, are part of what is signed', (t) => {
  const changes: Partial<Opening>[] = [
    { id: new Uint8Array(16).fill(1) },
    { partyId: 'party-2' },
    { keyId: 'other' },
    { epoch: 2 },
    { broadcast: new Uint8Array(64).fill(1) },
    { expiresAt: 2_000 },
    { signature: new Uint8Array(64) },
  ]
  for (const change of changes) {
    const { keyId, epoch } = { ...opening, ...change }
    // Also where the key that is asked for was changed along.
    for (const asked of [key, { ...key, keyId, epoch }])
      t.false(isGenuine({ ...opening, ...change }, asked, witness, 0), Object.keys(change)[0])
  }
  t.false(isGenuine(opening, { ...key, scheme: 'frost-secp256k1-tr' }, witness, 0))
  t.false(isGenuine(opening, { ...key, publicKey: new Uint8Array(32).fill(1) }, witness, 0))
})

test('a transcript is of the openings in whatever order, of the message and of the path', (t) => {
  const other = { ...opening, partyId: 'party-2', id: new Uint8Array(16).fill(1) }
  const signed = { path: 'm', message: Uint8Array.of(1) }
  const of = (openings: Opening[], what = signed) => Buffer.from(signingTranscript(openings, what)).toString('hex')
  t.is(of([opening, other]), of([other, opening]))
  const others = [
    of([opening]),
    of([opening, { ...other, broadcast: new Uint8Array(64).fill(1) }]),
    of([opening, { ...other, id: new Uint8Array(16).fill(2) }]),
    of([opening, { ...other, partyId: 'party-3' }]),
    of([opening, other], { ...signed, path: 'm/0' }),
    of([opening, other], { ...signed, message: Uint8Array.of(2) }),
  ]
  t.is(new Set([of([opening, other]), ...others]).size, others.length + 1)
})

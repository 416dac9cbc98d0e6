import test from 'ava'
import { isGenuine, type OpenedKey, type Opening, openingBytes, signingTranscript } from './opening.ts'

const key: OpenedKey = { scheme: 'frost-ed25519', publicKey: new Uint8Array(32), keyId: 'key', epoch: 1 }
const unsigned: Opening = {
  id: new Uint8Array(16),
  partyId: 'party-1',
  keyId: 'key',
  epoch: 1,
  broadcast: new Uint8Array(64),
  expiresAt: 1_000,
  signature: new Uint8Array(),
}
/** A party that signs by repeating what it signs. */
const verify = (partyId: string, message: Uint8Array, signature: Uint8Array) =>
  partyId === 'party-1' && Buffer.compare(message, signature) === 0
const opening = { ...unsigned, signature: openingBytes(key, unsigned) }

test('an opening is genuine for its key until it expires', (t) => {
  t.true(isGenuine(opening, key, verify, 999))
  t.false(isGenuine(opening, key, verify, 1_000))
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
      t.false(isGenuine({ ...opening, ...change }, asked, verify, 0), Object.keys(change)[0])
  }
  t.false(isGenuine(opening, { ...key, scheme: 'frost-secp256k1-tr' }, verify, 0))
  t.false(isGenuine(opening, { ...key, publicKey: new Uint8Array(32).fill(1) }, verify, 0))
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

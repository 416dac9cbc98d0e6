import { generateKeyPairSync, sign as signBytes } from 'node:crypto'
import test from 'ava'
import { type Opening, signOpening } from '../../domain/ceremony/opening.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { askToSign, openingOf, referenceTo } from '../ceremony/by-hand.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'

const message = new TextEncoder().encode('pay nobody')

let system: TestSystem
let key: ExistingKeyShare
let mine: Opening
let theirs: Opening

test.before(async () => {
  system = await startTestSystem({ parties: 4 })
  const parties = ['party-1', 'party-2', 'party-3']
  key = await system.generateKey(await system.createWallet(), { scheme: 'frost-ed25519', threshold: 2, parties })
  mine = await openingOf(system, key, 'party-1')
  theirs = await openingOf(system, key, 'party-2')
})

test.after.always(() => system?.close())

const sign = (sessionId: string, openings: Opening[]) => askToSign(system, key, 'party-1', { sessionId, message, openings })

/** The opening in somebody's name, signed by somebody. */
async function forged(partyId: string, signedBy: string): Promise<Opening> {
  const stranger = generateKeyPairSync('ed25519').privateKey
  const signer =
    signedBy === 'stranger'
      ? { publicKey: new Uint8Array(32), sign: async (bytes: Uint8Array) => new Uint8Array(signBytes(null, bytes, stranger)) }
      : system.identities.party(signedBy).identity
  const identity = { id: partyId, publicKey: signer.publicKey, sign: (bytes: Uint8Array) => signer.sign(bytes) }
  return signOpening(identity, { ...referenceTo(key), scheme: key.scheme }, theirs)
}

test.serial('a party of the deployment that has no share of the key cannot open', async (t) => {
  t.like(await sign('no-share', [mine, await forged('party-4', 'party-4')]), { type: 'refused', code: 'opening_invalid' })
})

test.serial('nobody opens in the name of another party', async (t) => {
  for (const signer of ['party-3', 'party-4', 'stranger'])
    t.like(await sign(`by-${signer}`, [mine, await forged('party-2', signer)]), { type: 'refused', code: 'opening_invalid' })
})

test.serial('somebody who is not of the deployment cannot open', async (t) => {
  t.like(await sign('stranger', [mine, { ...theirs, partyId: 'nobody' }]), { type: 'refused', code: 'opening_invalid' })
})

test.serial('a party opens once, and must have opened itself', async (t) => {
  t.like(await sign('twice', [mine, theirs, await openingOf(system, key, 'party-2')]), { type: 'refused', code: 'malformed' })
  t.like(await sign('absent', [theirs, await openingOf(system, key, 'party-3')]), { type: 'refused', code: 'malformed' })
  t.is((await sign('right', [mine, theirs])).type, 'contributed')
})

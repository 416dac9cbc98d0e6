import test from 'ava'
import type { Opening } from '../../domain/ceremony/opening.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { askToOpen, askToSign, openingOf } from '../ceremony/by-hand.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'

const parties = ['party-1', 'party-2']
const message = new TextEncoder().encode('pay nobody')

let system: TestSystem
let key: ExistingKeyShare
let other: ExistingKeyShare

test.before(async () => {
  system = await startTestSystem({ parties: 2 })
  const walletId = await system.createWallet()
  key = await system.generateKey(walletId, { scheme: 'frost-secp256k1-tr', threshold: 2, parties })
  other = await system.generateKey(walletId, { scheme: 'frost-secp256k1-tr', threshold: 2, parties })
})

test.after.always(() => system?.close())

const sign = (sessionId: string, openings: Opening[], asked = key) => askToSign(system, asked, 'party-1', { sessionId, message, openings })
const own = () => openingOf(system, key, 'party-1')
const refusedAs = (code: string) => ({ type: 'refused', code }) as const

test.serial("another party's opening of another key is refused, also when it is renamed", async (t) => {
  const opening = await openingOf(system, other, 'party-2')
  t.like(await sign('another-key', [await own(), opening]), refusedAs('opening_invalid'))
  t.like(await sign('renamed', [await own(), { ...opening, keyId: key.keyId }]), refusedAs('opening_invalid'))
})

test.serial("a party's own opening of another key is refused, also when it is renamed", async (t) => {
  const theirs = await openingOf(system, key, 'party-2')
  for (const keyId of [other.keyId, key.keyId]) {
    const opening = await openingOf(system, other, 'party-1')
    t.like(await sign(`own-${keyId}`, [{ ...opening, keyId }, theirs]), refusedAs('opening_invalid'))
  }
})

test.serial('an opening of another epoch is refused, whosoever it is', async (t) => {
  const [mine, theirs] = [await own(), await openingOf(system, key, 'party-2')]
  t.like(await sign('their-epoch', [mine, { ...theirs, epoch: 2 }]), refusedAs('opening_invalid'))
  t.like(await sign('own-epoch', [{ ...mine, epoch: 2 }, theirs]), refusedAs('opening_invalid'))
})

test.serial('in an epoch in which there is no share, nothing is opened and nothing signed', async (t) => {
  const later = { ...key, epoch: 2 }
  t.like(await askToOpen(system, later, 'party-1'), refusedAs('unknown_key'))
  const openings = [await own(), await openingOf(system, key, 'party-2')]
  t.like(await sign('later', openings, later), refusedAs('unknown_key'))
  t.is((await sign('now', openings)).type, 'contributed')
})

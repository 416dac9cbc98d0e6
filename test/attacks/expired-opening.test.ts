import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { askToSign, openingOf } from '../ceremony/by-hand.ts'
import { startTestSystem } from '../ceremony/system.ts'

const message = new TextEncoder().encode('pay nobody')

test('an opening that has expired is of no use, neither to its party nor to another one, whatever is written on it', async (t) => {
  const system = await startTestSystem({ parties: 2, presignatureTtlMs: 2_000 })
  t.teardown(system.close)
  const parties = ['party-1', 'party-2']
  const key = await system.generateKey(await system.createWallet(), { scheme: 'frost-secp256k1-tr', threshold: 2, parties })
  const [mine, theirs] = [await openingOf(system, key, 'party-1'), await openingOf(system, key, 'party-2')]
  const expiresAt = Math.max(mine.expiresAt, theirs.expiresAt)
  while (Date.now() <= expiresAt) await delay(expiresAt - Date.now() + 1)

  const sign = (sessionId: string, openings: (typeof mine)[]) => askToSign(system, key, 'party-1', { sessionId, message, openings })
  const later = Date.now() + 60_000
  const fresh = () => Promise.all(parties.map((id) => openingOf(system, key, id)))
  for (const [name, expired] of Object.entries({ theirs, prolonged: { ...theirs, expiresAt: later } })) {
    const [own] = await fresh()
    t.like(await sign(name, [own!, expired]), { type: 'refused', code: 'opening_invalid' })
  }
  for (const [name, expired] of Object.entries({ mine, ownProlonged: { ...mine, expiresAt: later } })) {
    const [, other] = await fresh()
    t.like(await sign(name, [expired, other!]), { type: 'refused', code: 'opening_unknown' })
  }
  t.is((await sign('fresh', await fresh())).type, 'contributed')
})

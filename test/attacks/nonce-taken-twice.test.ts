import test from 'ava'
import { SCHEMES } from '../../domain/threshold/scheme.ts'
import { askToSign, openingsOf } from '../ceremony/by-hand.ts'
import { startTestSystem } from '../ceremony/system.ts'

const AT_ONCE = 8

for (const scheme of SCHEMES) {
  test.serial(`sessions that ask at once for signatures with the same nonces get one, with ${scheme}`, async (t) => {
    const system = await startTestSystem({ parties: 2 })
    t.teardown(system.close)
    const key = await system.generateKey(await system.createWallet(), { scheme, threshold: 2, parties: ['party-1', 'party-2'] })
    const openings = await openingsOf(system, key, key.parties)
    const replies = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, i) =>
        askToSign(system, key, 'party-1', { sessionId: `session-${i}`, message: Buffer.from(`pay ${i}`), openings }),
      ),
    )
    const codes = replies.map((reply) => (reply.type === 'refused' ? reply.code : reply.type)).sort()
    t.deepEqual(codes, ['contributed', ...Array.from({ length: AT_ONCE - 1 }, () => 'opening_unknown')])
    t.deepEqual(system.party('party-1').nonceCounts(key.keyId), { generated: 1, consumed: 1, expired: 0 })
  })
}

import { randomBytes, randomUUID } from 'node:crypto'
import test from 'ava'
import { askToSign, openingOf } from '../ceremony/by-hand.ts'
import { startTestSystem } from '../ceremony/system.ts'

const ROUNDS = 8
const AT_ONCE = 3

// Horcrux (2022): who looked whether something was signed, and recorded it later, signed both of two requests that came 1.5 ms apart.
test('of requests that come at the same time to sign different messages in one session, one is signed', async (t) => {
  const system = await startTestSystem({ parties: 2 })
  t.teardown(system.close)
  const party = 'party-1'
  const key = await system.generateKey(await system.createWallet(), { scheme: 'frost-secp256k1-tr', threshold: 1, parties: [party] })

  for (let round = 0; round < ROUNDS; round++) {
    const sessionId = randomUUID()
    const openings = await Promise.all(Array.from({ length: AT_ONCE }, () => openingOf(system, key, party)))
    const replies = await Promise.all(
      openings.map((opening, i) =>
        askToSign(system, key, party, { sessionId, attempt: i + 1, message: randomBytes(32), openings: [opening] }),
      ),
    )
    t.deepEqual(replies.map((reply) => (reply.type === 'refused' ? reply.code : reply.type)).sort(), [
      'contributed',
      ...Array(AT_ONCE - 1).fill('signed_already'),
    ])
  }
  t.is(system.failures.length, ROUNDS * (AT_ONCE - 1), 'each is reported')
})

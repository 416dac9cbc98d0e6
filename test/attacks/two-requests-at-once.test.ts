import { randomBytes, randomUUID } from 'node:crypto'
import test from 'ava'
import { startTestSystem } from '../ceremony/system.ts'
import { askToSign, opened, signRequest } from './direct-signing.ts'

const ROUNDS = 8
const AT_ONCE = 3

// Horcrux (2022): who looked whether something was signed, and recorded it later, signed both of two requests that came 1.5 ms apart.
test('of requests that come at the same time to sign different messages in one session, one is signed', async (t) => {
  const system = await startTestSystem({ parties: 2 })
  t.teardown(system.close)
  const party = 'party-1'
  const key = await system.generateKey(await system.createWallet(), { scheme: 'frost-secp256k1-tr', threshold: 1, parties: [party] })
  const sole = { ...key, publicKey: Buffer.from(key.publicKey!, 'hex') }

  for (let round = 0; round < ROUNDS; round++) {
    const sessionId = randomUUID()
    const attempts = Array.from({ length: AT_ONCE }, (_, i) => ({ channel: system.channel, key: sole, party, sessionId, attempt: i + 1 }))
    const openings = await Promise.all(attempts.map(opened))
    const replies = await Promise.all(attempts.map((attempt, i) => askToSign(attempt, signRequest(attempt, openings[i]!, randomBytes(32)))))
    t.deepEqual(replies.map((reply) => (reply.type === 'refused' ? reply.code : reply.type)).sort(), [
      'contributed',
      ...Array(AT_ONCE - 1).fill('signed_already'),
    ])
  }
  t.is(system.failures.length, ROUNDS * (AT_ONCE - 1), 'each is reported')
})

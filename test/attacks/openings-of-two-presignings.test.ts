/** What signers have opened together is of use with what the same signers have opened in the same presigning, and with nothing else. */
import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { Opening } from '../../domain/ceremony/opening.ts'
import { askToSign, openingsOf } from '../ceremony/by-hand.ts'
import { startTestSystem } from '../ceremony/system.ts'

test('openings of another presigning, or of other signers, sign nothing, and are used up', async (t) => {
  const system = await startTestSystem({ parties: 3 })
  t.teardown(system.close)
  const parties = system.parties.map(({ id }) => id)
  const key = await system.generateKey(await system.createWallet(), { scheme: 'dkls23-secp256k1', threshold: 2, parties })
  const sign = (openings: readonly Opening[]) =>
    askToSign(system, key, 'party-1', { sessionId: randomUUID(), message: Buffer.from('pay nobody'), openings })
  const pair = () => openingsOf(system, key, ['party-1', 'party-2'])

  const [[own, others], [, ofAnother], [, ofThird]] = [
    await pair(),
    await pair(),
    await openingsOf(system, key, ['party-1', 'party-3']),
  ] as [[Opening, Opening], [Opening, Opening], [Opening, Opening]]
  t.like(await sign([own, ofAnother]), { type: 'refused', code: 'protocol_abort' })
  t.like(await sign([own, others]), { type: 'refused', code: 'opening_unknown' })
  const again = (await pair()) as [Opening, Opening]
  t.like(await sign([again[0], ofThird]), { type: 'refused', code: 'malformed' })
  t.like(await sign([again[0], again[1]]), { type: 'refused', code: 'opening_unknown' })
  const third = (await pair()) as [Opening, Opening]
  t.like(await sign([...third, ofThird]), { type: 'refused', code: 'malformed' })
  t.like(await sign(await pair()), { type: 'contributed' })
})

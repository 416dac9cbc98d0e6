/**
 * A coordinator keeps the client's wish to have a party's share recovered until the key has been refreshed, which was to be rid of whoever had that party: used
 * again it would get the share of the new epoch, too.
 */
import { hexToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { encodePolicy } from '../../domain/authorisation/key-policy.ts'
import { type Authorisation, keyShareStream } from '../../domain/key-share/events.ts'
import { loseShares, onlyInForce } from '../ceremony/key-checks.ts'
import { startTestSystem } from '../ceremony/system.ts'

const HOLDERS = ['party-1', 'party-2', 'party-3']
const LOST = 'party-3'

test('a wish for the share of one epoch is none for that of another', async (t) => {
  const system = await startTestSystem({ parties: 3 })
  t.teardown(system.close)
  const { keyId } = await system.generateKey(await system.createWallet(), {
    scheme: 'frost-secp256k1-tr',
    threshold: 2,
    parties: HOLDERS,
  })
  await loseShares(system, LOST)
  await system.recover(keyId, LOST)
  const requested = (await system.events(keyShareStream(keyId))).find(({ type }) => type === 'ShareRecoveryRequested')!
  const { authorisation: used } = requested.data as { authorisation: Authorisation }

  const key = await system.refresh(keyId)
  t.is(key.epoch, 2)
  await onlyInForce(system, key)
  await loseShares(system, LOST)
  const { scheme, epoch, threshold, parties } = key
  const shared = { keyId, epoch, attempt: key.attempt, publicKey: hexToBytes(key.publicKey!), threshold, parties }
  const ask = (to: string, attempt: number, authorisation: Authorisation) => {
    const publicPackage = hexToBytes(key.publicPackage!)
    const recovery = {
      key: { ...shared, publicPackage, policy: encodePolicy(key.policy) },
      lost: LOST,
      helpers: HOLDERS.slice(0, 2),
      authorisation,
    }
    return system.channel.ask(
      { scheme, kind: 'recovery', ceremonyId: keyId, attempt, round: 1, to },
      { type: 'recoverShare', recovery },
      { timeoutMs: 20_000 },
    )
  }
  for (const to of HOLDERS) t.like(await ask(to, 50, used), { type: 'refused', code: 'intent_reused' })
  const fresh = system.authorise(`/v1/keys/${keyId}/recover`, { party: LOST })
  for (const to of HOLDERS) t.is((await ask(to, 51, fresh)).type, 'said')
})

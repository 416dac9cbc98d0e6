import test, { type ExecutionContext } from 'ava'
import { RefusedForGood } from '../../commands/processes/insistence.ts'
import type { CeremonyKind, RefusalCode } from '../../domain/ceremony/messages.ts'
import { Refusal, refused } from '../../domain/ceremony/refusal.ts'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { DEFAULT_POLICY } from '../../domain/wallet/policy.ts'
import { until } from '../crash/condition.ts'
import { filesOf, loseShares, onlyInForce, onlyRevoked } from './key-checks.ts'
import { startTestSystem, type TestSystem } from './system.ts'

const HOLDERS = ['party-1', 'party-2', 'party-3']

let system: TestSystem
test.before(async () => {
  system = await startTestSystem({ parties: 3 })
})
test.after.always(() => system?.close())

/** A key of a wallet of its own, and what goes wrong from now on. */
async function newKey() {
  const walletId = await system.createWallet()
  const key = await system.generateKey(walletId, { scheme: 'frost-ed25519', threshold: 2, parties: HOLDERS })
  system.failures.length = 0
  return { walletId, key }
}

/** A party refuses what it is asked of this kind. */
function refuses(t: ExecutionContext, partyId: string, kind: CeremonyKind, code: RefusalCode): void {
  const party = system.party(partyId)
  t.teardown(() => {
    party.lie = undefined
  })
  party.lie = (reply, { header }) => (header.kind === kind ? refused(new Refusal(code, 'for a test')) : reply)
}

const fails = (times: number) =>
  until(
    () => system.failures.length >= times,
    () => `it has failed ${system.failures.length} times`,
    30_000,
  )

test.serial('a holder that has lost its share has nothing to destroy, and does not refuse the key from then on', async (t) => {
  const { key } = await newKey()
  await loseShares(system, 'party-3')
  await system.revoke(key.keyId)
  await onlyRevoked(system, { ...key, parties: ['party-1', 'party-2'] })
  const { keyId, scheme } = key
  const authorisation = system.authorise(`/v1/keys/${keyId}/revoke`, {})
  const header = { scheme, kind: 'revocation', ceremonyId: keyId, attempt: 1, round: 1, to: 'party-3' } as const
  const reply = await system.channel.ask(header, { type: 'destroyShares', keyId, authorisation }, { timeoutMs: 20_000 })
  t.is(reply.type, 'destroyed')
  t.deepEqual(await filesOf(system, 'party-3', keyId), [])
  t.deepEqual(system.failures, [])
})

for (const code of ['intent_expired', 'intent_reused'] as const) {
  test.serial(`a revocation that a holder refuses with ${code} is put aside once the others have carried it out`, async (t) => {
    const { key } = await newKey()
    refuses(t, 'party-2', 'revocation', code)
    await system.revoke(key.keyId)
    await fails(3)
    for (const failure of system.failures) {
      if (!(failure instanceof RefusedForGood)) return t.fail(String(failure))
      t.is(failure.message, `refused for good: destruction of the shares of key ${key.keyId} by party-2 (${code})`)
    }
    await onlyRevoked(system, key)
  })
}

test.serial('what one holder refuses for good is tried on as long as another may still do it', async (t) => {
  const { key } = await newKey()
  refuses(t, 'party-1', 'revocation', 'intent_expired')
  refuses(t, 'party-2', 'revocation', 'vault_unavailable')
  await system.revoke(key.keyId)
  await fails(4)
  t.true(system.failures.every((failure) => failure instanceof Unavailable))
  system.party('party-2').lie = undefined
  await until(
    () => system.failures.at(-1) instanceof RefusedForGood,
    () => 'it is still tried',
    30_000,
  )
})

test.serial('the completion of a refresh is put aside when a holder refuses it for good', async (t) => {
  const { key } = await newKey()
  refuses(t, 'party-2', 'refresh-completion', 'request_mismatch')
  await system.refresh(key.keyId)
  await fails(3)
  t.true(system.failures.every((failure) => failure instanceof RefusedForGood))
})

test.serial('a holder that has missed a change of the policy is brought it before the next', async (t) => {
  const { walletId, key } = await newKey()
  const party = system.party('party-2')
  t.teardown(() => {
    party.lie = undefined
    party.mishear = undefined
  })
  // The first change is put aside, and the party has not heard of it.
  refuses(t, 'party-2', 'policy-change', 'intent_expired')
  party.mishear = (asked) =>
    asked.header.kind === 'policy-change' ? { ...asked, header: { ...asked.header, ceremonyId: 'other' } } : asked
  await system.changePolicy(walletId, { ...DEFAULT_POLICY, rawDigests: true })
  await fails(3)
  t.true(system.failures.every((failure) => failure instanceof RefusedForGood))
  party.lie = undefined
  party.mishear = undefined
  system.failures.length = 0
  const versions: number[] = []
  party.lie = (reply) => {
    if (reply.type === 'policyChanged') versions.push(reply.version)
    return reply
  }
  await system.changePolicy(walletId, DEFAULT_POLICY)
  await until(
    () => versions.includes(3),
    () => `it has heard of ${versions}`,
    30_000,
  )
  t.deepEqual(versions, [2, 3])
  t.deepEqual(system.failures, [])
  await onlyInForce(system, key)
})

/** A signature is under way when the key is revoked, or comes under a policy that would not have allowed it: nothing of it leaves afterwards. */
import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { createSigner } from '../../domain/authorisation/testing/signer.ts'
import type { CeremonyReply } from '../../domain/ceremony/messages.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { openingOf, taskOf } from '../ceremony/by-hand.ts'
import type { TestSystem } from '../ceremony/system.ts'
import { askToChangePolicy, askToDestroy, PARTY, post, startAttackedSystem } from './coordinator.ts'

const MESSAGE = new TextEncoder().encode('pay everybody')

let system: TestSystem
let key: ExistingKeyShare

test.before(async () => {
  system = await startAttackedSystem()
})
test.beforeEach(async () => {
  key = await system.generateKey(await system.createWallet(), { scheme: 'frost-ed25519', threshold: 1, parties: [PARTY] })
})
test.after.always(() => system?.close())

/** The same request each time that it is called. */
async function signature(): Promise<() => Promise<CeremonyReply>> {
  const openings = [await openingOf(system, key, PARTY)]
  const task = taskOf(system, key, { message: MESSAGE, openings })
  const header = { scheme: key.scheme, kind: 'signing', ceremonyId: randomUUID(), attempt: 1, round: 1, to: PARTY } as const
  return () => system.channel.ask(header, { type: 'sign', task }, { timeoutMs: 20_000 })
}

function meanwhile(t: ExecutionContext, happens: () => Promise<CeremonyReply>, done: CeremonyReply['type']): void {
  const party = system.party(PARTY)
  party.beforeClaim = async () => {
    party.beforeClaim = undefined
    t.is((await happens()).type, done)
  }
}

test.serial('a key that was revoked meanwhile signs nothing more', async (t) => {
  const sign = await signature()
  meanwhile(t, () => askToDestroy(system, key, system.authorise(`/v1/keys/${key.keyId}/revoke`, {})), 'destroyed')
  t.like(await sign(), { type: 'refused', code: 'key_revoked' })
  t.like(await sign(), { type: 'refused', code: 'key_revoked' })
})

test.serial('what the policy would not have allowed that was changed meanwhile does not leave, now or later', async (t) => {
  const sign = await signature()
  const body = { policy: { approvals: { required: 1, approvers: [createSigner('alice').key] } } }
  const authorisation = system.client.authorise(post(`/v1/wallets/${key.walletId}/policy`, body))
  meanwhile(t, () => askToChangePolicy(system, key, { version: 2, authorisation, approvals: [] }), 'policyChanged')
  t.like(await sign(), { type: 'refused', code: 'policy_changed' })
  t.like(await sign(), { type: 'refused', code: 'signed_already' })
  await system.party(PARTY).kill()
  await system.party(PARTY).revive()
  t.like(await sign(), { type: 'refused', code: 'signed_already' })
})

/** A coordinator that leaves holders out of a refresh, to make their shares worthless and in the end the key with them. */
import { hexToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { heardBy, type Said } from '../../commands/processes/rounds.ts'
import type { CeremonyKind, CeremonyReply, CeremonyRequest, Confirmation, ShareReference } from '../../domain/ceremony/messages.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { everyQuorumSigns, filesOf } from '../ceremony/key-checks.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'

const HOLDERS = ['party-1', 'party-2', 'party-3']

let system: TestSystem
let key: ExistingKeyShare
let attempt = 0

test.before(async () => {
  system = await startTestSystem({ parties: 3 })
})
test.beforeEach(async () => {
  key = await system.generateKey(await system.createWallet(), { scheme: 'frost-secp256k1-tr', threshold: 2, parties: HOLDERS })
})
test.after.always(() => system?.close())

const ask = (kind: CeremonyKind, round: number, to: string, request: CeremonyRequest): Promise<CeremonyReply> =>
  system.channel.ask({ scheme: key.scheme, kind, ceremonyId: key.keyId, attempt, round, to }, request, { timeoutMs: 20_000 })

const shareOf = (epoch: number): ShareReference => ({
  keyId: key.keyId,
  epoch,
  attempt: epoch === 1 ? key.attempt : attempt,
  publicKey: hexToBytes(key.publicKey!),
})

/** Begins a refresh with all, and goes on with some until they answer something else than words. */
async function refresh(participants: readonly string[]): Promise<Map<string, CeremonyReply>> {
  attempt++
  const request: CeremonyRequest = {
    type: 'refreshKey',
    share: shareOf(1),
    authorisation: system.authorise(`/v1/keys/${key.keyId}/refresh`, {}),
  }
  let said = new Map<string, Said>()
  for (const to of HOLDERS) said.set(to, (await ask('refresh', 1, to, request)) as Said)
  for (let round = 2; ; round++) {
    const replies = new Map<string, CeremonyReply>()
    for (const to of participants) replies.set(to, await ask('refresh', round, to, { type: 'proceed', heard: heardBy(to, said) }))
    if (![...replies.values()].every(({ type }) => type === 'said')) return replies
    said = replies as Map<string, Said>
  }
}

async function confirmed(from: readonly string[]): Promise<Confirmation[]> {
  const confirmations: Confirmation[] = []
  for (const to of from) {
    const reply = await ask('refresh-completion', 1, to, { type: 'confirmRefresh', share: shareOf(2) })
    if (reply.type === 'confirmed') confirmations.push({ from: to, signature: reply.signature })
  }
  return confirmations
}

const complete = (to: string, confirmations: readonly Confirmation[]) =>
  ask('refresh-completion', 2, to, { type: 'completeRefresh', share: shareOf(2), confirmations })

test.serial('two of three do not refresh a key among themselves', async (t) => {
  const replies = await refresh(['party-1', 'party-2'])
  for (const reply of replies.values()) t.like(reply, { type: 'refused', code: 'protocol_abort' })
  for (const id of HOLDERS) t.deepEqual(await filesOf(system, id, key.keyId), ['epoch-1-attempt-1.json'])
  await everyQuorumSigns(t, system, key)
})

test.serial('old shares are not destroyed before every holder has said that it keeps its new one', async (t) => {
  await refresh(HOLDERS)
  const two = await confirmed(['party-1', 'party-2'])
  t.is(two.length, 2)
  const forged = { from: 'party-3', signature: two[0]!.signature }
  const repeated = [two[0]!, two[1]!, two[1]!]
  for (const confirmations of [[], two, [...two, forged], repeated])
    for (const to of HOLDERS) t.like(await complete(to, confirmations), { type: 'refused', code: 'refresh_unconfirmed' })
  await everyQuorumSigns(t, system, key)

  const all = [...two, ...(await confirmed(['party-3']))]
  for (const to of HOLDERS) t.is((await complete(to, all)).type, 'completed')
  for (const id of HOLDERS) t.deepEqual(await filesOf(system, id, key.keyId), [`epoch-2-attempt-${attempt}.json`])
})

test.serial("the word of one refresh's holders does not complete another", async (t) => {
  await refresh(HOLDERS)
  const first = await confirmed(HOLDERS)
  await refresh(HOLDERS)
  for (const to of HOLDERS) t.like(await complete(to, first), { type: 'refused', code: 'refresh_unconfirmed' })
})

test.serial('a share that is confirmed is not discarded any more, one that is discarded is not confirmed', async (t) => {
  await refresh(HOLDERS)
  const discard = (to: string) => ask('refresh-completion', 1, to, { type: 'discardRefresh', share: shareOf(2) })
  await confirmed(['party-1'])
  t.like(await discard('party-1'), { type: 'refused', code: 'share_confirmed' })
  t.is((await discard('party-2')).type, 'destroyed')
  t.deepEqual(await confirmed(['party-2']), [])
  await everyQuorumSigns(t, system, key)
})

test.serial('completing one attempt with some and another with others leaves all of them with shares of both', async (t) => {
  await refresh(HOLDERS)
  const [firstAttempt, first] = [attempt, await confirmed(HOLDERS)]
  await refresh(HOLDERS)
  const second = await confirmed(HOLDERS)
  t.is((await complete('party-1', second)).type, 'completed')
  const secondAttempt = attempt
  attempt = firstAttempt
  for (const to of ['party-2', 'party-3']) t.is((await complete(to, first)).type, 'completed')
  attempt = secondAttempt
  for (const id of HOLDERS)
    t.deepEqual(
      await filesOf(system, id, key.keyId),
      [`epoch-2-attempt-${firstAttempt}.json`, `epoch-2-attempt-${secondAttempt}.json`].toSorted(),
    )
})

/** A coordinator that wants the share of a party, or a share for a stranger, with less than a quorum of its holders. */
import { hexToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { heardBy } from '../../commands/processes/rounds.ts'
import { encodePolicy } from '../../domain/authorisation/key-policy.ts'
import { createSigner } from '../../domain/authorisation/testing/signer.ts'
import type { CeremonyReply, RecoveryRequest } from '../../domain/ceremony/messages.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { loseShares } from '../ceremony/key-checks.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'

const HOLDERS = ['party-1', 'party-2', 'party-3']
const LOST = 'party-3'

let system: TestSystem
let key: ExistingKeyShare
let attempt = 0

test.before(async () => {
  system = await startTestSystem({ parties: 5 })
  key = await system.generateKey(await system.createWallet(), { scheme: 'frost-secp256k1-tr', threshold: 2, parties: HOLDERS })
  await loseShares(system, LOST)
})
test.after.always(() => system?.close())

/** A recovery as it should be asked for, and what becomes of it. */
function ask(to: string, change: (request: RecoveryRequest) => RecoveryRequest = (request) => request): Promise<CeremonyReply> {
  const { keyId, scheme, epoch, threshold, parties } = key
  const recovery = change({
    key: {
      keyId,
      epoch,
      attempt: key.attempt,
      publicKey: hexToBytes(key.publicKey!),
      threshold,
      parties,
      publicPackage: hexToBytes(key.publicPackage!),
      policy: encodePolicy(key.policy),
    },
    lost: LOST,
    helpers: ['party-1', 'party-2'],
    authorisation: system.authorise(`/v1/keys/${keyId}/recover`, { party: LOST }),
  })
  attempt++
  return system.channel.ask(
    { scheme, kind: 'recovery', ceremonyId: keyId, attempt, round: 1, to },
    { type: 'recoverShare', recovery },
    { timeoutMs: 20_000 },
  )
}

/** Under a policy that obeys a stranger, at the stranger's word. */
function usurped(recovery: RecoveryRequest): RecoveryRequest {
  const policy = encodePolicy({ ...key.policy, clientKeys: [stranger.key] })
  const request = { method: 'POST', path: `/v1/keys/${key.keyId}/recover`, body: JSON.stringify({ party: LOST }) }
  return { ...recovery, key: { ...recovery.key, policy }, authorisation: stranger.authorise(request) }
}

const stranger = createSigner('stranger')
const everybody = ['party-1', 'party-2', LOST]

test.serial('asked as it should be, everybody opens', async (t) => {
  for (const to of everybody) t.is((await ask(to)).type, 'said')
})

test.serial('one helper is not enough for a key of two, whoever is asked', async (t) => {
  for (const to of ['party-1', LOST])
    t.like(await ask(to, (request) => ({ ...request, helpers: ['party-1'] })), { code: 'too_few_helpers' })
})

test.serial('nor does it help to call it a key of one: helpers know better, and the package says so', async (t) => {
  const ofOne = (request: RecoveryRequest) => ({ ...request, key: { ...request.key, threshold: 1 }, helpers: ['party-1'] })
  t.like(await ask('party-1', ofOne), { code: 'share_mismatch' })
  t.like(await ask(LOST, ofOne), { code: 'malformed' })
})

test.serial('a stranger does not help, and is given nothing', async (t) => {
  t.like(await ask('party-1', (request) => ({ ...request, helpers: ['party-1', 'party-4'] })), { code: 'not_a_holder' })
  for (const to of ['party-1', 'party-4']) t.like(await ask(to, (request) => ({ ...request, lost: 'party-4' })), { code: 'not_a_holder' })
  const amongHolders = (request: RecoveryRequest) => ({
    ...request,
    key: { ...request.key, parties: ['party-1', 'party-2', 'party-4'] },
    lost: 'party-4',
  })
  t.like(await ask('party-1', amongHolders), { code: 'share_mismatch' })
})

test.serial('nobody counts twice, and who has lost its share does not help to find it', async (t) => {
  for (const helpers of [
    ['party-1', 'party-1'],
    ['party-1', LOST],
  ])
    for (const to of ['party-1', LOST]) t.like(await ask(to, (request) => ({ ...request, helpers })), { code: 'malformed' })
})

test.serial('the one who lost its share is not deceived about the key or its policy: it hears its helpers speak of others', async (t) => {
  const other = await system.generateKey(await system.createWallet(), { scheme: key.scheme, threshold: 2, parties: HOLDERS })
  const ofOtherKey = (request: RecoveryRequest) => ({
    ...request,
    key: { ...request.key, publicKey: hexToBytes(other.publicKey!), publicPackage: hexToBytes(other.publicPackage!) },
  })
  for (const change of [ofOtherKey, usurped]) {
    t.like(await ask('party-1', change), { code: 'share_mismatch' })
    const said = new Map<string, Extract<CeremonyReply, { type: 'said' }>>()
    const common = attempt + 1
    for (const to of everybody) {
      attempt = common - 1
      const reply = await ask(to, to === LOST ? change : undefined)
      if (reply.type === 'said') said.set(to, reply)
    }
    t.is(said.size, everybody.length)
    const reply = await system.channel.ask(
      { scheme: key.scheme, kind: 'recovery', ceremonyId: key.keyId, attempt: common, round: 2, to: LOST },
      { type: 'proceed', heard: heardBy(LOST, said) },
      { timeoutMs: 20_000 },
    )
    t.like(reply, { type: 'refused', code: 'protocol_abort' })
    t.regex((reply as { reason: string }).reason, /equivocation/)
  }
})

test.serial("without the client's word, or with his word for another party, nobody opens", async (t) => {
  const path = `/v1/keys/${key.keyId}/recover`
  const unsigned = { ...system.authorise(path, { party: LOST }), intent: null }
  const another = system.authorise(path, { party: 'party-1' })
  for (const to of everybody) {
    t.like(await ask(to, (request) => ({ ...request, authorisation: unsigned })), { code: 'intent_missing' })
    t.like(await ask(to, (request) => ({ ...request, authorisation: another })), { code: 'request_mismatch' })
  }
})

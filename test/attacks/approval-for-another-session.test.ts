import { randomUUID } from 'node:crypto'
import test from 'ava'
import { approvalPath } from '../../domain/authorisation/approvals.ts'
import { requestDigest } from '../../domain/authorisation/request.ts'
import { createSigner } from '../../domain/authorisation/testing/signer.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import type { TestSystem } from '../ceremony/system.ts'
import { askToSign, message, PARTY, post, signatureRequest, startAttackedSystem } from './coordinator.ts'

const MINUTE = 60_000
const alice = createSigner('alice')

let system: TestSystem
let key: ExistingKeyShare

test.before(async () => {
  system = await startAttackedSystem()
  const policy = { rawDigests: false, approvals: { required: 1, approvers: [alice.key] } }
  key = await system.generateKey(await system.createWallet(policy), { scheme: 'frost-ed25519', threshold: 1, parties: [PARTY] })
})

test.after.always(() => system?.close())

const approve = (sessionId: string, body: object = {}, at = Date.now()) =>
  alice.authorise(post(approvalPath(sessionId), { decision: 'approve', ...body }), { at })
const small = () => system.client.authorise(signatureRequest(key, message('pay 1')))
const large = (at = Date.now()) => system.client.authorise(signatureRequest(key, message('pay 1000000')), { at })

test.serial('an approval is for the session that it names', async (t) => {
  const [session, another] = [randomUUID(), randomUUID()]
  t.like(await askToSign(system, key, { authorisation: large(), approvals: [approve(another)] }, session), {
    type: 'refused',
    code: 'request_mismatch',
  })
  t.is((await askToSign(system, key, { authorisation: large(), approvals: [approve(session)] }, session)).type, 'contributed')
})

test.serial('an approver who says which request he has seen has approved no other in its place', async (t) => {
  const session = randomUUID()
  const approvals = [approve(session, { requestDigest: requestDigest(small()) })]
  t.like(await askToSign(system, key, { authorisation: large(), approvals }, session), { type: 'refused', code: 'request_mismatch' })
  const another = randomUUID()
  const again = [approve(another, { requestDigest: requestDigest(small()) })]
  t.is((await askToSign(system, key, { authorisation: small(), approvals: again }, another)).type, 'contributed')
})

test.serial('an approval is for a request that was there before it, and does not keep', async (t) => {
  const session = () => randomUUID()
  const sign = (askedAt: number, approvedAt: number, id = session()) =>
    askToSign(system, key, { authorisation: large(askedAt), approvals: [approve(id, {}, approvedAt)] }, id)
  const now = Date.now()
  t.like(await sign(now, now - MINUTE), { type: 'refused', code: 'request_mismatch' })
  t.like(await sign(now - 20 * MINUTE, now - 10 * MINUTE), { type: 'refused', code: 'intent_expired' })
  t.like(await sign(now - 25 * 60 * MINUTE, now), { type: 'refused', code: 'intent_expired' })
  t.is((await sign(now - 20 * 60 * MINUTE, now)).type, 'contributed')
})

test.serial('a rejection is no approval', async (t) => {
  const session = randomUUID()
  const approvals = [alice.authorise(post(approvalPath(session), { decision: 'reject' }))]
  t.like(await askToSign(system, key, { authorisation: large(), approvals }, session), { type: 'refused', code: 'request_mismatch' })
})

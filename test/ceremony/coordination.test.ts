import test from 'ava'
import { InOtherHands } from '../../commands/processes/process.ts'
import { createSigner } from '../../domain/authorisation/testing/signer.ts'
import type { Header, Heard } from '../../domain/ceremony/messages.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { type SessionEvent, startTestSystem, type TestSystem } from './system.ts'
import { isSignature } from './verify.ts'

const message = new TextEncoder().encode('pay nobody')

let system: TestSystem
let key: ExistingKeyShare

test.before(async () => {
  system = await startTestSystem({ parties: 3 })
  key = await system.generateKey(await system.createWallet(), {
    scheme: 'frost-secp256k1-tr',
    threshold: 2,
    parties: system.parties.map(({ id }) => id),
  })
})

test.after.always(() => system?.close())

const sessionEvents = async (sessionId: string) => (await system.events(signingSessionStream(sessionId))) as SessionEvent[]

test.serial('several coordinators at one session make one signature', async (t) => {
  for (let i = 0; i < 5; i++) {
    const sessionId = await system.requestSignature(key, message)
    const [requested] = await sessionEvents(sessionId)
    const others = await Promise.allSettled([system.anotherCoordinator().react(requested!), system.anotherCoordinator().react(requested!)])
    for (const other of others) t.true(other.status === 'fulfilled' || other.reason instanceof InOtherHands)
    const session = await system.outcome(sessionId)
    t.true(isSignature(key.scheme, key.publicKey!, message, session.signature))
    t.is((await sessionEvents(sessionId)).filter(({ type }) => type === 'SignatureProduced').length, 1)
  }
})

test.serial('an event that comes again after the session is over changes nothing', async (t) => {
  const { sessionId } = await system.sign(key, message)
  const before = await sessionEvents(sessionId)
  await system.anotherCoordinator().react(before[0]!)
  t.deepEqual(await sessionEvents(sessionId), before)
})

test.serial('a session left half-way by a coordinator that died is taken up as a new attempt', async (t) => {
  const sessionId = await system.requestSignature(key, message, {
    andThen: [
      { type: 'StartSigning', attempt: 1, signers: ['party-1', 'party-2'], previous: null },
      { type: 'CompleteRound', attempt: 1, round: 1, rounds: 2 },
    ],
  })
  const session = await system.outcome(sessionId)
  t.true(isSignature(key.scheme, key.publicKey!, message, session.signature))
  t.is(session.attempt, 2)
  const second = (await sessionEvents(sessionId)).find((event) => event.type === 'SigningStarted' && event.data.attempt === 2)
  t.deepEqual(second?.type === 'SigningStarted' && second.data.previous, { code: 'interrupted', culprits: [] })
})

test.serial('a session that needs approvals is signed when the last one is given', async (t) => {
  const [alice, bob] = [createSigner('alice'), createSigner('bob', 'P-256')]
  const walletId = await system.createWallet({ rawDigests: false, approvals: { required: 2, approvers: [alice.key, bob.key] } })
  const guarded = await system.generateKey(walletId, { scheme: key.scheme, threshold: 2, parties: key.parties })
  const sessionId = await system.requestSignature(guarded, message)
  await system.approve(sessionId, alice)
  await system.sign(key, message)
  t.deepEqual(
    (await sessionEvents(sessionId)).map(({ type }) => type),
    ['SigningRequested', 'ApprovalGranted'],
  )
  await system.approve(sessionId, bob)
  t.is((await system.outcome(sessionId)).status, 'signed')
})

test.serial('a cancelled session is not signed', async (t) => {
  const sessionId = await system.requestSignature(key, message, { andThen: [{ type: 'CancelSession', by: 'client' }] })
  await system.sign(key, message)
  t.deepEqual(
    (await sessionEvents(sessionId)).map(({ type }) => type),
    ['SigningRequested', 'SigningCancelled'],
  )
})

test.serial('the same round asked again is answered the same, in other words it is refused, also after the end', async (t) => {
  const at = (round: number, attempt = 1): Omit<Header, 'from'> => ({
    scheme: key.scheme,
    kind: 'signing',
    ceremonyId: 'by-hand',
    attempt,
    round,
    to: 'party-1',
  })
  const timeoutMs = 2_000
  const share = { keyId: key.keyId, epoch: key.epoch, attempt: key.attempt, publicKey: Buffer.from(key.publicKey!, 'hex') }
  const open = (to: string) => system.channel.ask({ ...at(1), to }, { type: 'openSigning', share }, { timeoutMs })
  const [one, two] = [await open('party-1'), await open('party-2')]
  if (one.type !== 'said' || two.type !== 'said') return t.fail('both parties open')
  t.deepEqual(await open('party-1'), one)

  const heard: Heard = {
    statements: [
      { from: 'party-1', statement: one.statement },
      { from: 'party-2', statement: two.statement },
    ],
    secrets: [],
  }
  const payload = { kind: 'message', encoding: 'hex', data: Buffer.from(message).toString('hex') }
  const authorisation = system.client.authorise({
    method: 'POST',
    path: `/v1/keys/${key.keyId}/signatures`,
    body: JSON.stringify({ payload }),
  })
  const sign = (message: Uint8Array, attempt = 1) =>
    system.channel.ask(
      at(2, attempt),
      { type: 'sign', task: { message, signers: ['party-1', 'party-2'], authorisation, approvals: [] }, heard },
      { timeoutMs },
    )
  const digest = protocolOf(key.scheme).message(message)
  const contributed = await sign(digest)
  t.is(contributed.type, 'contributed')
  t.deepEqual(await sign(digest), contributed)
  t.like(await sign(new Uint8Array(32).fill(1)), { type: 'refused', code: 'conflicting_request' })
  t.like(await sign(digest, 2), { type: 'refused', code: 'unknown_ceremony' })

  const party = system.party('party-1')
  await party.kill()
  await party.revive()
  t.like(await sign(digest), { type: 'refused', code: 'unknown_ceremony' })
})

test.serial('what is not a message is refused as malformed, and what is for another party too', async (t) => {
  const subject = 'quorate.party.party-1.ceremony'
  for (const payload of [new Uint8Array(0), Uint8Array.of(0xc1), new TextEncoder().encode('{"type":"sign"}')]) {
    const reply = await system.messages.request(subject, payload, { timeoutMs: 2_000 })
    t.true(Buffer.from(reply).includes('malformed'))
  }
})

test.serial('a frozen wallet signs nothing', async (t) => {
  await system.freeze(key.walletId)
  t.like(await system.sign(key, message), { status: 'failed', failure: { code: 'wallet_frozen' }, attempt: 0 })
})

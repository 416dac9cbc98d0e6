import test from 'ava'
import { InOtherHands } from '../../commands/processes/process.ts'
import { createSigner } from '../../domain/authorisation/testing/signer.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import { until } from '../crash/condition.ts'
import { askToOpen, askToSign, openingOf } from './by-hand.ts'
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

test.serial('an attempt asked again is answered the same, in other words it is refused, also after a restart', async (t) => {
  const openings = [await openingOf(system, key, 'party-1'), await openingOf(system, key, 'party-2')]
  const openingsOf = () => askToOpen(system, key, 'party-1')
  const sign = (message: string, attempt = 1) =>
    askToSign(system, key, 'party-1', { sessionId: 'by-hand', attempt, message: Buffer.from(message), openings })
  const contributed = await sign('pay nobody')
  t.is(contributed.type, 'contributed')
  t.deepEqual(await sign('pay nobody'), contributed)
  t.like(await sign('pay somebody'), { type: 'refused', code: 'conflicting_request' })
  t.like(await sign('pay nobody', 2), { type: 'refused', code: 'opening_unknown' })

  const party = system.party('party-1')
  await party.kill()
  await party.revive()
  // Until another party has said that it knows of nothing more, it signs nothing.
  await until(
    async () => (await openingsOf()).type === 'opened',
    () => 'the party does not open',
    5_000,
  )
  t.deepEqual(await sign('pay nobody'), contributed)
  t.like(await sign('pay somebody'), { type: 'refused', code: 'conflicting_request' })
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

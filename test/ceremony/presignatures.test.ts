import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { createSigner } from '../../domain/authorisation/testing/signer.ts'
import { keyShareStream } from '../../domain/key-share/events.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { FROST_SCHEMES } from '../../domain/threshold/testing/ciphersuites.ts'
import { type KeyEvent, type SessionEvent, startTestSystem, type TestSystem } from './system.ts'
import { isSignature } from './verify.ts'

const message = new TextEncoder().encode('pay nobody')

async function start(t: { teardown(close: () => Promise<void>): void }, options: { presignatureTtlMs?: number } = {}) {
  const system = await startTestSystem({ parties: 3, presignatures: 10, ...options })
  t.teardown(system.close)
  const generate = async (scheme: Scheme) =>
    system.generateKey(await system.createWallet(), { scheme, threshold: 2, parties: system.parties.map(({ id }) => id) })
  return { system, generate }
}

const sessionEvents = async (system: TestSystem, sessionId: string) =>
  (await system.events(signingSessionStream(sessionId))) as SessionEvent[]
const roundsOf = (events: readonly SessionEvent[]) =>
  events.flatMap((event) => (event.type === 'RoundCompleted' ? [`${event.data.round} of ${event.data.rounds}`] : []))

async function countsOf(system: TestSystem, key: ExistingKeyShare) {
  const events = (await system.events(keyShareStream(key.keyId))) as KeyEvent[]
  const sum = { generated: 0, consumed: 0, expired: 0 }
  for (const { type, data } of events) {
    if (type !== 'PresignaturesCounted') continue
    for (const what of ['generated', 'consumed', 'expired'] as const) sum[what] += data[what]
  }
  return sum
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(5)
}

test.serial('a new key is stocked, and then signs in one round; what is used is made again, and counted', async (t) => {
  const { system, generate } = await start(t)
  for (const scheme of FROST_SCHEMES) {
    const key = await generate(scheme)
    await system.stocked(key, 10)
    const opened: string[] = []
    for (const party of system.parties)
      party.lie = (reply, { request }) => {
        opened.push(request.type)
        return reply
      }
    const session = await system.sign(key, message)
    t.true(isSignature(scheme, key.publicKey!, message, session.signature))
    t.deepEqual(opened.slice(0, 2), ['sign', 'sign'])
    t.deepEqual(
      (await sessionEvents(system, session.sessionId)).map(({ type }) => type),
      ['SigningRequested', 'SigningStarted', 'RoundCompleted', 'SignatureProduced'],
    )
    t.deepEqual(roundsOf(await sessionEvents(system, session.sessionId)), ['1 of 1'])
    await system.stocked(key, 10)
    await until(async () => (await countsOf(system, key)).generated === 32)
    t.deepEqual(await countsOf(system, key), { generated: 32, consumed: 2, expired: 0 })
    const atParties = system.parties.map((party) => party.nonceCounts(key.keyId))
    t.is(
      atParties.reduce((sum, { consumed }) => sum + consumed, 0),
      2,
    )
  }
  t.deepEqual(system.failures, [])
})

test.serial('more sessions at once than there is stock for are all signed', async (t) => {
  const { system, generate } = await start(t)
  const key = await generate('frost-secp256k1-tr')
  await system.stocked(key, 10)
  const sessions = await Promise.all(Array.from({ length: 24 }, (_, i) => system.sign(key, Buffer.from(`payment ${i}`))))
  t.true(sessions.every(({ signature }, i) => isSignature(key.scheme, key.publicKey!, Buffer.from(`payment ${i}`), signature)))
  const rounds = await Promise.all(sessions.map(async ({ sessionId }) => roundsOf(await sessionEvents(system, sessionId)).at(-1)))
  t.deepEqual([...new Set(rounds)].sort(), ['1 of 1', '2 of 2'])
})

test.serial('a coordinator that has just started signs without stock, in two rounds', async (t) => {
  const { system } = await start(t)
  const alice = createSigner('alice')
  const walletId = await system.createWallet({
    rawDigests: false,
    presignatures: 10,
    approvals: { required: 1, approvers: [alice.key] },
  })
  const parties = system.parties.map(({ id }) => id)
  const key = await system.generateKey(walletId, { scheme: 'frost-secp256k1-tr', threshold: 2, parties })
  await system.stocked(key, 10)
  const sessionId = await system.requestSignature(key, message)
  const other = system.anotherCoordinator()
  for (const party of system.parties) party.freeze()
  await system.approve(sessionId, alice)
  const granted = (await sessionEvents(system, sessionId)).at(-1)!
  const [reacted] = await Promise.allSettled([other.react(granted), delay(50).then(() => system.parties.map((party) => party.thaw()))])
  t.true(reacted.status === 'fulfilled' || reacted.reason.name === 'InOtherHands')
  t.is((await system.outcome(sessionId)).status, 'signed')
  t.is((await sessionEvents(system, sessionId)).filter(({ type }) => type === 'SignatureProduced').length, 1)
})

test.serial('a party that restarts has lost its nonces: its stock is dropped, it opens again, and the session is signed', async (t) => {
  const { system, generate } = await start(t)
  const key = await generate('frost-ed25519')
  await system.stocked(key, 10)
  for (const id of ['party-1', 'party-2']) {
    await system.party(id).kill()
    await system.party(id).revive()
    t.deepEqual(system.party(id).nonceCounts(key.keyId), { generated: 0, consumed: 0, expired: 0 })
  }
  const session = await system.sign(key, message)
  t.true(isSignature(key.scheme, key.publicKey!, message, session.signature))
  const previous = (await sessionEvents(system, session.sessionId)).flatMap((event) =>
    event.type === 'SigningStarted' && event.data.previous ? [event.data.previous] : [],
  )
  t.true(previous.length >= 1)
  t.true(previous.every(({ code, culprits }) => code === 'opening_unknown' && ['party-1', 'party-2'].includes(culprits[0]!)))
  await system.stocked(key, 10)
  t.is((await system.sign(key, message)).status, 'signed')
})

test.serial('a party that nobody can replace, and that is away for a moment, is waited for though there is stock of it', async (t) => {
  const { system } = await start(t)
  const parties = ['party-1', 'party-2']
  const key = await system.generateKey(await system.createWallet(), { scheme: 'frost-ed25519', threshold: 2, parties })
  await system.stocked(key, 10)
  await system.party('party-2').kill()
  const sessionId = await system.requestSignature(key, message)
  await delay(500)
  await system.party('party-2').revive()
  t.is((await system.outcome(sessionId)).status, 'signed')
  t.deepEqual(
    (await sessionEvents(system, sessionId)).flatMap((event) => (event.type === 'SigningStarted' ? [event.data.previous] : [])),
    [null, { code: 'party_unavailable', culprits: ['party-2'] }],
  )
})

test.serial('stock that expires is replaced while its key is in use, and counted', async (t) => {
  const { system, generate } = await start(t, { presignatureTtlMs: 7_000 })
  const key = await generate('frost-secp256k1-tr')
  const isReplaced = async () => {
    const { generated, expired } = await countsOf(system, key)
    return generated > 30 && expired > 0
  }
  await until(isReplaced)
  await until(() => system.party('party-1').nonceCounts(key.keyId).expired > 0)
  t.is((await system.sign(key, message)).status, 'signed')
})

test.serial('of a revoked key nothing is left, neither in stock nor at its parties', async (t) => {
  const { system, generate } = await start(t)
  const key = await generate('frost-secp256k1-tr')
  await system.stocked(key, 10)
  await system.revoke(key.keyId)
  await until(() => system.presignatures.stock.size === 0)
  await until(() => system.parties.every((party) => party.nonceCounts(key.keyId).expired === party.nonceCounts(key.keyId).generated))
  await until(async () => (await countsOf(system, key)).expired === 30)
  t.deepEqual(await countsOf(system, key), { generated: 30, consumed: 0, expired: 30 })
})

/** Keys whose signers open together: the ECDSA of DKLs23. */

import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { heardBy } from '../../commands/processes/rounds.ts'
import { quorumsOf } from '../../commands/processes/signer-choice.ts'
import type { CeremonyReply } from '../../domain/ceremony/messages.ts'
import type { Said } from '../../domain/ceremony/statements.ts'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import { recoverPublicKey } from '../../domain/threshold/testing/verifiers.ts'
import { ask, said } from '../attacks/hostile-coordinator.ts'
import { askToSignTogether, authorisationOf, referenceTo } from './by-hand.ts'
import { everyQuorumSigns, loseShares } from './key-checks.ts'
import { type SessionEvent, startTestSystem, type TestSystem } from './system.ts'
import { isSignature } from './verify.ts'

const SCHEME = 'dkls23-secp256k1'
const message = new TextEncoder().encode('pay nobody')

const sessionEvents = async (system: TestSystem, sessionId: string) =>
  (await system.events(signingSessionStream(sessionId))) as SessionEvent[]
const roundsOf = (events: readonly SessionEvent[]) =>
  events.flatMap((event) => (event.type === 'RoundCompleted' ? [`${event.data.round} of ${event.data.rounds}`] : []))
const attemptsOf = (events: readonly SessionEvent[]) => events.flatMap((event) => (event.type === 'SigningStarted' ? [event.data] : []))

async function systemWithKey(
  t: { teardown(close: () => Promise<void>): void },
  { presignatures = 0, threshold = 2, parties = 3 }: { presignatures?: 0 | 10; threshold?: number; parties?: number } = {},
) {
  const system = await startTestSystem({ parties, presignatures })
  t.teardown(system.close)
  const holders = system.parties.map(({ id }) => id)
  const key = await system.generateKey(await system.createWallet(), { scheme: SCHEME, threshold, parties: holders })
  return { system, key }
}

test.serial('without stock a signature takes three rounds, and says who signed and which key it recovers', async (t) => {
  const { system, key } = await systemWithKey(t)
  t.is(key.status, 'active')
  t.regex(key.publicKey!, /^0[23][0-9a-f]{64}$/)
  const session = await system.sign(key, message)
  t.true(isSignature(SCHEME, key.publicKey!, message, session.signature), JSON.stringify(session.failure))
  t.is(session.signers.length, 2)
  const recovered = recoverPublicKey(sha256(message), hexToBytes(session.signature!), session.recoveryId!)
  t.is(bytesToHex(recovered!), key.publicKey!)
  t.deepEqual(roundsOf(await sessionEvents(system, session.sessionId)), ['1 of 3', '2 of 3', '3 of 3'])
  t.deepEqual(system.failures, [])
})

test.serial('with stock a signature takes one round, and what is used is made again', async (t) => {
  const { system, key } = await systemWithKey(t, { presignatures: 10 })
  await system.stocked(key, 10)
  const asked: string[] = []
  for (const party of system.parties)
    party.lie = (reply, { request }) => {
      asked.push(request.type)
      return reply
    }
  const session = await system.sign(key, message)
  t.true(isSignature(SCHEME, key.publicKey!, message, session.signature), JSON.stringify(session.failure))
  t.deepEqual(asked.slice(0, 2), ['sign', 'sign'])
  t.deepEqual(roundsOf(await sessionEvents(system, session.sessionId)), ['1 of 1'])
  await system.stocked(key, 10)
  t.deepEqual(system.failures, [])
})

test.serial('with nothing in stock a session waits for what is being made for it, and signs in one round', async (t) => {
  const { system, key } = await systemWithKey(t, { presignatures: 10 })
  await system.stocked(key, 10)
  const { stock } = system.presignatures
  const team = [...quorumsOf(key.parties, 2)].find((signers) => stock.held(key, signers) > 0)!
  let goOn = () => {}
  const claimed = new Promise<void>((resolve) => (goOn = resolve))
  const asked: string[] = []
  const secondRound = new Promise<void>((resolve) => {
    for (const party of system.parties)
      party.lie = async (reply, { request, header }) => {
        asked.push(request.type)
        if (request.type === 'proceed' && header.kind === 'opening') {
          resolve()
          await claimed
        }
        return reply
      }
  })
  while (stock.take(key, team));
  system.presignatures.use({ ...key, publicKey: key.publicKey! })
  await secondRound
  t.true(system.presignatures.claims.isFree(key, team))
  const sessionId = await system.requestSignature(key, message)
  const session = system.outcome(sessionId)
  while (system.presignatures.claims.isFree(key, team)) await delay(5)
  goOn()
  const { status, signature } = await session
  t.is(status, 'signed')
  t.true(isSignature(SCHEME, key.publicKey!, message, signature))
  t.deepEqual(roundsOf(await sessionEvents(system, sessionId)), ['1 of 1'])
  t.false(asked.includes('signTogether'))
  t.deepEqual(system.failures, [])
})

test.serial('one holder dead: others sign, with stock of the dead one and without', async (t) => {
  for (const presignatures of [10, 0] as const) {
    const { system, key } = await systemWithKey(t, { presignatures })
    if (presignatures > 0) await system.stocked(key, 10)
    const first = await system.sign(key, message)
    const [dead] = first.signers
    await system.party(dead!).kill()
    const session = await system.sign(key, message)
    t.true(isSignature(SCHEME, key.publicKey!, message, session.signature), JSON.stringify(session.failure))
    t.false(session.signers.includes(dead!))
    for (const { previous } of attemptsOf(await sessionEvents(system, session.sessionId)))
      if (previous) t.deepEqual(previous, { code: 'party_unavailable', culprits: [dead!] })
  }
})

test.serial('a party that nobody can replace, and that is away for a moment, is waited for', async (t) => {
  const { system, key } = await systemWithKey(t, { parties: 2 })
  await system.party('party-2').kill()
  const sessionId = await system.requestSignature(key, message)
  await system.party('party-2').revive()
  const session = await system.outcome(sessionId)
  t.true(isSignature(SCHEME, key.publicKey!, message, session.signature), JSON.stringify(session.failure))
})

test.serial(
  'a share that was given back signs with nobody until the key is refreshed: others sign in its place, or the session says why not',
  async (t) => {
    const { system, key } = await systemWithKey(t)
    await loseShares(system, 'party-2')
    await system.recover(key.keyId, 'party-2')
    const session = await system.sign(key, message)
    t.true(isSignature(SCHEME, key.publicKey!, message, session.signature), JSON.stringify(session.failure))
    t.deepEqual(session.signers, ['party-1', 'party-3'])

    // Now no two of them have anything in common.
    await loseShares(system, 'party-3')
    await system.recover(key.keyId, 'party-3')
    const failed = await system.sign(key, message)
    t.like(failed, { status: 'failed', failure: { code: 'setup_missing' } })
    const refreshed = await system.refresh(key.keyId)
    await everyQuorumSigns(t, system, refreshed)
  },
)

test.serial(
  'a contribution is made once an attempt: the same request is answered the same, also after a restart, and another is refused',
  async (t) => {
    const { system, key } = await systemWithKey(t, { parties: 2 })
    const signers = ['party-1', 'party-2']
    const sessionId = randomUUID()
    const join = (to: string, what = message) => askToSignTogether(system, key, to, { sessionId, message: what, signers })
    const hear = (round: number, to: string, spoken: ReadonlyMap<string, Said>) =>
      ask(
        system,
        { scheme: SCHEME, kind: 'signing', ceremonyId: sessionId, attempt: 1, round, to },
        { type: 'proceed', heard: heardBy(to, spoken) },
      )
    const everybody = async (answer: (id: string) => Promise<CeremonyReply>) =>
      new Map(await Promise.all(signers.map(async (id) => [id, said(await answer(id))] as const)))

    const first = await everybody(join)
    const second = await everybody((to) => hear(2, to, first))
    const contributed = await hear(3, 'party-1', second)
    t.is(contributed.type, 'contributed')
    t.deepEqual(await hear(3, 'party-1', second), contributed)

    await system.party('party-1').kill()
    await system.party('party-1').revive()
    let answer = await join('party-1')
    while (answer.type === 'refused' && answer.code === 'busy') answer = await join('party-1')
    t.deepEqual(answer, contributed)
    t.like(await hear(3, 'party-1', second), { type: 'refused' })
    const other = await askToSignTogether(system, key, 'party-1', { sessionId, message, signers: [...signers].reverse() })
    t.like(other, { type: 'refused', code: 'conflicting_request' })
    await system.party('party-1').kill()
    await system.party('party-1').revive()
    const reversed = () => askToSignTogether(system, key, 'party-1', { sessionId, message, signers: [...signers].reverse() })
    let refused = await reversed()
    while (refused.type === 'refused' && refused.code === 'busy') refused = await reversed()
    t.like(refused, { type: 'refused', code: 'signed_already' })
  },
)

test.serial('when nobody can tell whose contribution is wrong, others have their turn, and the session comes to its end', async (t) => {
  const { system, key } = await systemWithKey(t)
  // As long as nobody is in doubt, these two sign, whatever chance says: the third has failed lately.
  system.standing.failed('party-3', 'refused')
  system.party('party-1').lie = (reply) =>
    reply.type === 'contributed' ? { ...reply, contribution: reply.contribution.map((byte, i) => (i === 63 ? byte ^ 1 : byte)) } : reply
  const session = await system.sign(key, message)
  t.true(isSignature(SCHEME, key.publicKey!, message, session.signature), JSON.stringify(session.failure))
  const attempts = attemptsOf(await sessionEvents(system, session.sessionId))
  t.deepEqual(attempts[0]!.signers, ['party-1', 'party-2'])
  t.true(attempts[1]!.signers.includes('party-3'))
  t.deepEqual(attempts.at(-1)!.signers, ['party-2', 'party-3'])
  t.deepEqual(attempts[1]!.previous, { code: 'invalid_contribution', culprits: [] })
})

test.serial('a party joins only what its client has authorised, and only as a signer', async (t) => {
  const { system, key } = await systemWithKey(t)
  const request = { sessionId: randomUUID(), message, signers: ['party-1', 'party-2'] }
  const otherKey = { ...key, keyId: 'another' }
  const authorisation = authorisationOf(system, otherKey, message)
  const task = { share: referenceTo(key), path: 'm', signers: request.signers, authorisation, approvals: [], transaction: null }
  const header = { scheme: key.scheme, kind: 'signing', ceremonyId: request.sessionId, attempt: 1, round: 1, to: 'party-1' } as const
  t.like(await ask(system, header, { type: 'signTogether', task }), { type: 'refused', code: 'request_mismatch' })
  t.like(await askToSignTogether(system, key, 'party-3', request), { type: 'refused', code: 'malformed' })
  for (const [signers, code] of [
    [['party-1'], 'malformed'],
    [['party-1', 'party-1'], 'malformed'],
    [['party-1', 'party-9'], 'not_a_holder'],
  ] as const)
    t.like(await askToSignTogether(system, key, 'party-1', { ...request, signers }), { type: 'refused', code })
  t.is((await askToSignTogether(system, key, 'party-1', request)).type, 'said')
})

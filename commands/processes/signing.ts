import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { type CeremonyAttempt, REFUSAL_CODES } from '../../domain/ceremony/messages.ts'
import type { Opening } from '../../domain/ceremony/opening.ts'
import type { Witness } from '../../domain/ceremony/sayings.ts'
import { DomainError } from '../../domain/domain-error.ts'
import { keyShareStream } from '../../domain/key-share/events.ts'
import { keyShare, requireActiveKey } from '../../domain/key-share/key-share.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import type { PartyDirectory } from '../../domain/ports/party-directory.ts'
import type { Failure, SessionIdentity } from '../../domain/signing-session/events.ts'
import {
  type ExistingSession,
  isTerminal,
  requireSession,
  type SigningSessionCommand,
  signingSession,
} from '../../domain/signing-session/signing-session.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { walletStream } from '../../domain/wallet/events.ts'
import { requireOpenWallet, wallet } from '../../domain/wallet/wallet.ts'
import { execute } from '../execute.ts'
import { type AggregateLog, load } from '../load.ts'
import { unlessErased } from '../personal-data.ts'
import { collectSignature } from './contributions.ts'
import { inSequence } from './in-sequence.ts'
import { unlessUndone } from './insistence.ts'
import { signTogether } from './joint-signature.ts'
import { type ReleaseOpenings, releaseOpenings, requestOpenings, shareOf } from './opening-requests.ts'
import { gatherOpenings, type Timing } from './openings.ts'
import { bringPolicyChanges } from './policy-change.ts'
import { inAnswerTo, type Process, unlessOvertaken } from './process.ts'
import type { Progress } from './progress.ts'
import { CeremonyFailed } from './rounds.ts'
import { chooseSigners } from './signer-choice.ts'
import { faultOfRefusal } from './standing/fault.ts'
import { measuredChannel } from './standing/measured-channel.ts'
import type { PartyStanding } from './standing/party-standing.ts'
import type { StockKeeping } from './stock-keeping.ts'
import { type Asked, askedOf } from './transaction-signing.ts'

export type SigningDependencies = {
  log: AggregateLog
  channel: PartyChannel
  directory: Pick<PartyDirectory, 'isUp'>
  standing: PartyStanding
  presignatures: StockKeeping
  /** What openings are verified with. */
  witness: Witness
  progress: Progress
  timing?: Timing & { roundTimeoutMs: number }
}

const NAME = 'signing'
const CONCURRENCY = 16
/** Attempts at one session, those of a coordinator that went away included. */
const MAX_ATTEMPTS = 8

/** How long a round may take at most; each party is waited for as long as its standing says. */
const TIMING = { hedgeAfterMs: 150, windowMs: 2_000, patienceMs: 10_000, roundTimeoutMs: 5_000 }

/** What shows that a party is wrong, and not only slow, restarted or accused: it is asked no more in this session. Others are asked last. */
const PROVEN = ['invalid_contribution', 'invalid_message', 'invalid_reply']

/** After this a party is to open again before it is asked to sign: opening is what it is waited for with. */
const OUT_OF_STOCK = ['opening_unknown', 'party_unavailable', 'party_timeout', 'busy', 'vault_unavailable']

/** With what a party says that it does not sign with another: others may. */
const UNWILLING = ['counterparty_banned', 'setup_missing']

/** What a party says also when a change of the policy has not reached it yet. */
const OUTDATED = ['policy_forbids', 'approvals_missing', 'approval_by_stranger', 'intent_unknown_key', 'intent_signature_invalid']

/**
 * That an attempt has begun is recorded by itself when the attempt takes longer, or fails; else in one step with its signature. One at a transfer's signature is
 * recorded before any party is asked: whoever goes on with the transfer has to know what parties may have claimed for it.
 */
const RECORD_AFTER_MS = 500

/** How many times as long as for others a party is waited for in a round in which signers open together: it is that much more work. */
const JOINT_ROUND = 3

type SigningKey = ReturnType<typeof requireActiveKey>
type CarryOut = (...commands: SigningSessionCommand[]) => Promise<unknown>

/** What has come of the attempts at a session so far. */
type Lessons = {
  /** Proven wrong: asked no more. */
  excluded: Set<string>
  /** How often each was in the way of an attempt: the more often, the later it is asked. */
  doubts: Map<string, number>
  /** Somebody has lost what it had made ahead: others may have, too. */
  stale: boolean
}

/** Those who sign, and how many rounds it takes, the opening included unless it was made ahead. */
type Opened = {
  signers: readonly string[]
  /** By signer, in the order in which they opened; none where they open together as they sign. */
  openings: ReadonlyMap<string, Opening>
  rounds: number
  /** Why these are too few. */
  missing?: Failure
  /** How long those are waited for that are down and have not opened. */
  windowMs?: number
}

/**
 * Makes the signature that a session asks for, once it is approved: in one round when openings are in stock. Of several coordinators at one session the one
 * whose attempt is recorded first goes on, and the others stop: no signer gives two contributions to one attempt. A failed attempt is undone in reverse: openings are
 * released, whoever watches is told, and the next attempt's event says why, which goes on at once with fresh openings and without those at fault.
 */
export function signingProcess(dependencies: SigningDependencies): Process {
  const { log, directory, standing, presignatures, witness, progress, timing = TIMING } = dependencies
  const channel = measuredChannel(dependencies.channel, standing)
  const patient = { ...standing, timeoutMs: (partyId: string) => JOINT_ROUND * standing.timeoutMs(partyId) }
  const jointChannel = measuredChannel(dependencies.channel, patient)
  const { stock, claims, rifts } = presignatures
  const release: ReleaseOpenings = releaseOpenings(dependencies.channel)

  async function react(event: RecordedEvent): Promise<void> {
    const sessionEnded = presignatures.sessionBegan()
    try {
      await work(event)
    } finally {
      sessionEnded()
    }
  }

  async function work(event: RecordedEvent): Promise<void> {
    const aggregate = { decider: inSequence(signingSession), stream: event.stream }
    const reached = channel.reachable()
    // It matters only when there is something to sign.
    reached.catch(() => {})
    const [loaded, key] = await Promise.all([load(log, aggregate), keyToSignWith(log, event.data as SessionIdentity)])
    const session = requireSession(loaded.state)
    if (isTerminal(session) || session.status === 'pending_approval') return
    let latest = loaded
    const carryOut: CarryOut = async (...commands) => {
      latest = await unlessOvertaken(
        ['session_terminal', 'session_out_of_order'],
        execute(log, aggregate, () => commands, inAnswerTo(event, NAME), latest),
      )
    }
    if ('code' in key) {
      presignatures.retire(session.keyId)
      await carryOut({ type: 'FailSigning', code: key.code, culprits: [] })
      return
    }
    const asked = await askedOf(log, session).catch(unlessErased)
    if (!asked) return void (await carryOut({ type: 'FailSigning', code: 'personal_data_erased', culprits: [] }))
    presignatures.use(key)
    // An attempt without a broker would be one for nothing.
    await reached
    await sign(session, asked, key, carryOut)
  }

  async function sign(session: ExistingSession, asked: Asked, keyAtFirst: SigningKey, carryOut: CarryOut): Promise<void> {
    const { sessionId, scheme, deadline } = session
    const lessons: Lessons = { excluded: new Set(), doubts: new Map(), stale: false }
    const refusers = new Set<string>()
    let previous: Failure | null = session.attempt === 0 ? null : { code: 'interrupted', culprits: [] }

    for (let number = session.attempt + 1; number <= MAX_ATTEMPTS; number++) {
      const attempt: CeremonyAttempt = { scheme, kind: 'signing', ceremonyId: sessionId, attempt: number }
      const leftMs = Date.parse(deadline) - Date.now()
      if (leftMs <= 0) {
        await carryOut({ type: 'ExpireSession', now: new Date().toISOString() })
        return
      }
      progress(attempt, 'started')
      if (number > session.attempt + 1) await channel.reachable()
      // It may have been revoked, or come into another epoch, in the course of the attempt before.
      const current = number === session.attempt + 1 ? keyAtFirst : await keyToSignWith(log, session)
      if ('code' in current) {
        previous = { code: current.code, culprits: [] }
        break
      }
      const { key, opened } = await openInForce(current, lessons, session)
      const { openings, missing } = opened
      if (missing) {
        release(key, openings.values())
        await channel.reachable()
        previous = missing
        break
      }
      try {
        await attemptSignature(attempt, { session, asked, key, opened, previous, carryOut })
        // What they would not do others have done: it was not the request that was wrong.
        for (const id of refusers) standing.failed(id, 'refused')
        return progress(attempt, 'completed')
      } catch (error) {
        release(key, openings.values())
        if (!(error instanceof CeremonyFailed)) throw error
        if (OUTDATED.includes(error.code)) await bringPolicyChanges({ log, channel }, session).catch(unlessUndone)
        progress(attempt, 'attempt_failed')
        const { code, culprits, doubtful, failures } = error
        previous = { code, culprits }
        for (const failure of failures) rifts.learn(key, failure)
        const isNotWith = UNWILLING.includes(code)
        const inDoubt = isNotWith ? doubtful : [...culprits, ...doubtful]
        // When nothing tells them apart, all of them are: others are to have their turn.
        doubt(lessons, inDoubt.length > 0 ? inDoubt : opened.signers)
        for (const id of isNotWith ? [] : culprits) {
          if (OUT_OF_STOCK.includes(code)) stock.drop(key.keyId, id)
          if (code === 'opening_unknown') lessons.stale = true
          else if (PROVEN.includes(code)) {
            lessons.excluded.add(id)
            standing.failed(id, 'proven')
          } else if (isRefusal(code) && !faultOfRefusal(code)) refusers.add(id)
        }
      }
    }
    await carryOut({ type: 'FailSigning', ...(previous ?? { code: 'interrupted', culprits: [] }) })
    progress({ kind: 'signing', ceremonyId: sessionId }, 'failed')
  }

  /** Openings with the shares that are in force: those of another epoch may have come into it meanwhile. */
  async function openInForce(key: SigningKey, lessons: Lessons, session: ExistingSession): Promise<{ key: SigningKey; opened: Opened }> {
    const needed = Math.max(key.threshold, session.transfer?.signers ?? 0)
    const opened = await open(key, needed, lessons, Date.parse(session.deadline) - Date.now())
    if (!opened.missing) return { key, opened }
    const now = await keyToSignWith(log, session)
    if ('code' in now || now.epoch === key.epoch) return { key, opened }
    release(key, opened.openings.values())
    return openInForce(now, lessons, session)
  }

  /** Openings out of stock when enough parties have given some, else fresh ones, as many as can be had. */
  async function open(key: SigningKey, needed: number, lessons: Lessons, leftMs: number): Promise<Opened> {
    const { parties } = key
    const { excluded, doubts, stale } = lessons
    const ranked = standing.rank(
      parties.filter((id) => !excluded.has(id)),
      needed,
    )
    const doubtsOf = (id: string) => doubts.get(id) ?? 0
    const candidates = ranked.toSorted((a, b) => doubtsOf(a) - doubtsOf(b))
    if (jointRounds(key.scheme) > 0) return choose(key, needed, candidates, lessons)

    // Stock is worth a round trip, but not a signer that is more doubtful than there need be.
    const mostDoubts = doubtsOf(candidates.slice(0, needed).at(-1) ?? '')
    const stocked = candidates.filter((id) => !stale && doubtsOf(id) <= mostDoubts && stock.held(key, [id]) > 0).slice(0, needed)
    if (stocked.length === needed) return readyToSign(stocked.flatMap((id) => stock.take(key, [id]) ?? []))

    const { opened, slow, failures } = await gatherOpenings(
      async (to, signal) => {
        const [ready] = (!stale && stock.take(key, [to])) || []
        if (ready) return { opened: ready }
        const timeoutMs = Math.min(timing.roundTimeoutMs, leftMs)
        const outcome = await requestOpenings({ channel, witness }, key, { to, count: 1, timeoutMs, signal })
        return 'failure' in outcome ? outcome : { opened: outcome.openings[0]! }
      },
      {
        candidates,
        needed,
        isUp: directory.isUp,
        hedgeAfterMs: Math.max(timing.hedgeAfterMs, ...candidates.slice(0, needed).map(standing.lateAfterMs)),
        windowMs: Math.min(timing.windowMs, leftMs),
        patienceMs: Math.min(timing.patienceMs, leftMs),
      },
    )
    doubt(lessons, [...slow, ...failures.keys()])
    const signers = [...opened.keys()]
    const missing = { code: 'quorum_unavailable', culprits: parties.filter((id) => !opened.has(id)) }
    return { signers, openings: opened, rounds: 2, ...(signers.length < needed && { missing }) }
  }

  /**
   * Signers who open together: those who have done so ahead, or are about to have, as long as they are no more doubtful than there need be, or else those
   * who will as they sign.
   */
  async function choose(key: SigningKey, needed: number, candidates: readonly string[], { doubts, stale }: Lessons): Promise<Opened> {
    const { parties } = key
    const doubtsOf = (id: string) => doubts.get(id) ?? 0
    const mostDoubts = doubtsOf(candidates.slice(0, needed).at(-1) ?? '')
    const isLikely = (id: string) => doubtsOf(id) <= mostDoubts && directory.isUp(id)
    const canSign = (signers: readonly string[]) => !rifts.among(key, signers)
    const likeliest = (isSo: (signers: readonly string[]) => boolean) =>
      stale ? undefined : chooseSigners(candidates, needed, (signers) => canSign(signers) && signers.every(isLikely) && isSo(signers))

    const stocked = likeliest((signers) => stock.held(key, signers) > 0)
    const opening = stocked ? undefined : likeliest((signers) => claims.isFree(key, signers))
    if (opening) await claims.claim(key, opening)
    const ready = stocked ?? opening
    const lot = ready && stock.take(key, ready)
    if (lot) return readyToSign(lot)
    const chosen = chooseSigners(candidates, needed, canSign) ?? chooseSigners(parties, needed, canSign)
    if (!chosen) {
      const missing = rifts.among(key, parties) ?? { code: 'quorum_unavailable', culprits: [] }
      return { signers: [], openings: new Map(), rounds: 0, missing }
    }
    const canBeReplaced = candidates.some((id) => !chosen.includes(id) && isLikely(id))
    const patienceMs = chosen.every(directory.isUp) ? timing.patienceMs : timing.windowMs
    const signers = parties.filter((id) => chosen.includes(id))
    return { signers, openings: new Map(), rounds: jointRounds(key.scheme) + 1, windowMs: canBeReplaced ? 0 : patienceMs }
  }

  async function attemptSignature(
    attempt: CeremonyAttempt,
    work: { session: ExistingSession; asked: Asked; key: SigningKey; opened: Opened; previous: Failure | null; carryOut: CarryOut },
  ): Promise<void> {
    const { session, asked, key, opened, previous, carryOut } = work
    const { attempt: number } = attempt
    const { signers, openings, rounds, windowMs = 0 } = opened
    const complete = (round: number): SigningSessionCommand => ({ type: 'CompleteRound', attempt: number, round, rounds })
    const overtaken = new AbortController()
    const openTogether = openings.size === 0
    const openedBefore = openTogether ? 0 : rounds - 1

    const start: SigningSessionCommand = { type: 'StartSigning', attempt: number, signers, previous }
    const beginning = [start, ...(openedBefore > 0 ? [complete(1)] : [])]
    let begun: Promise<unknown> | undefined
    const begin = () => {
      begun ??= carryOut(...beginning)
      return begun
    }
    if (session.transfer) await begin()
    const beginLater = setTimeout(() => begin().catch(() => overtaken.abort()), RECORD_AFTER_MS)
    if (openedBefore > 0) progress(attempt, 'round_completed', 1)
    const task = {
      share: shareOf(key),
      path: session.path ?? 'm',
      ...asked,
    }
    const leftMs = Date.parse(session.deadline) - Date.now()
    const wanted = {
      attempt,
      message: hexToBytes(session.message),
      parties: key.parties,
      publicPackage: hexToBytes(key.publicPackage),
      timeoutMs: Math.min(timing.roundTimeoutMs, leftMs),
      signal: overtaken.signal,
    }
    const collected = openTogether
      ? signTogether(jointChannel, {
          ...wanted,
          task: { ...task, signers },
          windowMs: Math.min(windowMs, leftMs),
          onRound: (round) => progress(attempt, 'round_completed', round),
        })
      : collectSignature(channel, { ...wanted, task: { ...task, openings: [...openings.values()] } })
    const [outcome] = await Promise.allSettled([collected])
    clearTimeout(beginLater)
    if (outcome.status === 'rejected') {
      await begin()
      throw outcome.reason
    }
    progress(attempt, 'round_completed', rounds)
    const { signature, recoveryId } = outcome.value
    const ending: SigningSessionCommand[] = [
      ...Array.from({ length: rounds - openedBefore }, (_, index) => complete(openedBefore + index + 1)),
      {
        type: 'ProduceSignature',
        attempt: number,
        signature: bytesToHex(signature),
        ...(recoveryId !== undefined && { recoveryId }),
      },
    ]
    await begun
    await carryOut(...(begun ? [] : beginning), ...ending)
  }

  return {
    name: NAME,
    reactsTo: ['SigningRequested', 'ApprovalGranted'],
    concurrency: CONCURRENCY,
    react,
  }
}

function doubt({ doubts }: Lessons, parties: readonly string[]): void {
  for (const id of parties) doubts.set(id, (doubts.get(id) ?? 0) + 1)
}

/** By those who have opened already: one by one, or together. */
function readyToSign(openings: readonly Opening[]): Opened {
  const bySigner = new Map(openings.map((opening) => [opening.partyId, opening]))
  return { signers: [...bySigner.keys()], openings: bySigner, rounds: 1 }
}

/** How often signers speak to open together; 0 where each opens by itself. */
function jointRounds(scheme: Scheme): number {
  const { signing } = protocolOf(scheme)
  return signing.openedBy === 'all' ? signing.rounds : 0
}

const isRefusal = (code: string) => (REFUSAL_CODES as readonly string[]).includes(code)

/** The session's key as it is now, or why it may not sign any more. */
async function keyToSignWith(log: AggregateLog, { keyId, walletId }: SessionIdentity): Promise<SigningKey | { code: string }> {
  const [key, owner] = await Promise.all([
    load(log, { decider: keyShare, stream: keyShareStream(keyId) }),
    load(log, { decider: wallet, stream: walletStream(walletId) }),
  ])
  try {
    requireOpenWallet(owner.state)
    return requireActiveKey(key.state)
  } catch (error) {
    if (error instanceof DomainError) return { code: error.code }
    throw error
  }
}

import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import type { CeremonyAttempt } from '../../domain/ceremony/messages.ts'
import type { Opening } from '../../domain/ceremony/opening.ts'
import type { Witness } from '../../domain/ceremony/sayings.ts'
import { DomainError } from '../../domain/domain-error.ts'
import { keyShareStream } from '../../domain/key-share/events.ts'
import { keyShare, requireActiveKey } from '../../domain/key-share/key-share.ts'
import { type RecordedEvent, Unavailable } from '../../domain/ports/event-log.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import type { PartyDirectory } from '../../domain/ports/party-directory.ts'
import type { Failure, SessionIdentity } from '../../domain/signing-session/events.ts'
import { readWantedSignature } from '../../domain/signing-session/payload.ts'
import {
  type ExistingSession,
  isTerminal,
  requireSession,
  type SigningSessionCommand,
  signingSession,
} from '../../domain/signing-session/signing-session.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { walletStream } from '../../domain/wallet/events.ts'
import { requireOpenWallet, wallet } from '../../domain/wallet/wallet.ts'
import { execute } from '../execute.ts'
import { type AggregateLog, load } from '../load.ts'
import { collectSignature } from './contributions.ts'
import { inSequence } from './in-sequence.ts'
import { type ReleaseOpenings, releaseOpenings, requestOpenings, shareOf } from './opening-requests.ts'
import { gatherOpenings, type Timing } from './openings.ts'
import { bringPolicyChanges } from './policy-change.ts'
import { inAnswerTo, type Process, unlessOvertaken } from './process.ts'
import type { Progress } from './progress.ts'
import { CeremonyFailed } from './rounds.ts'
import { isNoted } from './standing/fault.ts'
import { measuredChannel } from './standing/measured-channel.ts'
import type { PartyStanding } from './standing/party-standing.ts'
import type { StockKeeping } from './stock-keeping.ts'

export type SigningDependencies = {
  log: AggregateLog
  channel: PartyChannel
  directory: Pick<PartyDirectory, 'isUp'>
  standing: PartyStanding
  presignatures: StockKeeping
  /** What openings are verified with. */
  witness: Witness
  progress: Progress
  timing?: Timing
}

const NAME = 'signing'
const CONCURRENCY = 16
/** Attempts at one session, those of a coordinator that went away included. */
const MAX_ATTEMPTS = 5

const TIMING: Timing = { hedgeAfterMs: 150, windowMs: 2_000, patienceMs: 10_000 }

/** What shows that a party is wrong, and not only slow, restarted or accused: it is asked no more in this session. Others are asked last. */
const PROVEN = ['invalid_contribution', 'invalid_message', 'invalid_reply']

/** What a party says also when a change of the policy has not reached it yet. */
const OUTDATED = ['policy_forbids', 'approvals_missing', 'approval_by_stranger']

type SigningKey = ReturnType<typeof requireActiveKey>
type CarryOut = (...commands: SigningSessionCommand[]) => Promise<unknown>

/** What has come of the attempts at a session so far. */
type Doubts = {
  /** Proven wrong: asked no more. */
  excluded: Set<string>
  /** Asked last. */
  doubtful: Set<string>
  /** How many times as long as usual everybody is waited for: twice as long after each that was not waited for long enough. */
  patience: number
  /** Somebody has lost what it had made ahead: others may have, too. */
  stale: boolean
}

/** Those who sign, in the order in which they opened; `rounds` is how many it takes, the opening included unless it was made ahead. */
type Opened = { openings: ReadonlyMap<string, Opening>; rounds: number }

/**
 * Makes the signature that a session asks for, once it is approved: in one round when openings are in stock. That an attempt has begun is recorded while the
 * signers are at work; of several coordinators at one session that event decides, and the others stop. A failed attempt is undone in reverse: openings are
 * released, whoever watches is told, and the next attempt's event says why, which goes on at once with fresh openings and without those at fault.
 */
export function signingProcess(dependencies: SigningDependencies): Process {
  const { log, directory, standing, presignatures, witness, progress, timing = TIMING } = dependencies
  const channel = measuredChannel(dependencies.channel, standing)
  const { stock } = presignatures
  const release: ReleaseOpenings = releaseOpenings(channel)

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
    presignatures.use(key)
    await sign(session, key, carryOut)
  }

  async function sign(session: ExistingSession, key: SigningKey, carryOut: CarryOut): Promise<void> {
    const { sessionId, scheme, deadline } = session
    const doubts: Doubts = { excluded: new Set(), doubtful: new Set(), patience: 1, stale: false }
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
      const opened = await open(key, doubts, leftMs)
      const { openings } = opened
      if (openings.size < key.threshold) {
        release(key, openings.values())
        previous = { code: 'quorum_unavailable', culprits: key.parties.filter((id) => !openings.has(id)) }
        break
      }
      try {
        await attemptSignature(attempt, { session, key, opened, previous, patience: doubts.patience, carryOut })
        // What they would not do others have done: it was not the request that was wrong.
        for (const id of refusers) standing.failed(id, 'refused')
        return progress(attempt, 'completed')
      } catch (error) {
        release(key, openings.values())
        if (!(error instanceof CeremonyFailed)) throw error
        if (OUTDATED.includes(error.code)) await bringPolicyChanges({ log, channel }, session).catch(unlessUnavailable)
        progress(attempt, 'attempt_failed')
        const { code, culprits, doubtful } = error
        previous = { code, culprits }
        if (code === 'party_timeout') doubts.patience *= 2
        for (const id of [...culprits, ...doubtful]) doubts.doubtful.add(id)
        for (const id of culprits) {
          if (code === 'opening_unknown') {
            doubts.stale = true
            stock.drop(key.keyId, id)
          } else if (PROVEN.includes(code)) doubts.excluded.add(id)
          else if (!isNoted(code)) refusers.add(id)
        }
      }
    }
    await carryOut({ type: 'FailSigning', ...(previous ?? { code: 'interrupted', culprits: [] }) })
    progress({ kind: 'signing', ceremonyId: sessionId }, 'failed')
  }

  /** Openings out of stock when enough parties have given some, else fresh ones, as many as can be had. */
  async function open(key: SigningKey, { excluded, doubtful, patience, stale }: Doubts, leftMs: number): Promise<Opened> {
    const { parties, threshold, scheme } = key
    const ranked = standing.rank(
      parties.filter((id) => !excluded.has(id)),
      threshold,
    )
    const trusted = ranked.filter((id) => !doubtful.has(id))
    const candidates = [...trusted, ...ranked.filter((id) => doubtful.has(id))]
    const rounds = protocolOf(scheme).rounds.signing

    const stocked = (trusted.length >= threshold ? trusted : candidates).filter((id) => stock.held(key, id) > 0).slice(0, threshold)
    if (!stale && stocked.length === threshold)
      return { openings: new Map(stocked.map((id) => [id, stock.take(key, id)!])), rounds: rounds - 1 }

    const { opened, slow, failures } = await gatherOpenings(
      async (to, signal) => {
        const ready = stale ? undefined : stock.take(key, to)
        if (ready) return { opened: ready }
        const timeoutMs = Math.min(patience * standing.timeoutMs(to), leftMs)
        const outcome = await requestOpenings({ channel, standing, witness }, key, { to, count: 1, timeoutMs, signal })
        return 'failure' in outcome ? outcome : { opened: outcome.openings[0]! }
      },
      {
        candidates,
        needed: threshold,
        isUp: directory.isUp,
        hedgeAfterMs: timing.hedgeAfterMs,
        windowMs: Math.min(timing.windowMs, leftMs),
        patienceMs: Math.min(timing.patienceMs, leftMs),
      },
    )
    for (const id of [...slow, ...failures.keys()]) doubtful.add(id)
    return { openings: opened, rounds }
  }

  async function attemptSignature(
    attempt: CeremonyAttempt,
    work: { session: ExistingSession; key: SigningKey; opened: Opened; previous: Failure | null; patience: number; carryOut: CarryOut },
  ): Promise<void> {
    const { session, key, opened, previous, patience, carryOut } = work
    const { attempt: number } = attempt
    const { openings, rounds } = opened
    const complete = (round: number): SigningSessionCommand => ({ type: 'CompleteRound', attempt: number, round, rounds })
    const overtaken = new AbortController()

    const start: SigningSessionCommand = { type: 'StartSigning', attempt: number, signers: [...openings.keys()], previous }
    const begun = carryOut(start, ...(rounds > 1 ? [complete(1)] : []))
    begun.catch(() => overtaken.abort())
    if (rounds > 1) progress(attempt, 'round_completed', 1)
    const collected = collectSignature(channel, standing, {
      attempt,
      task: {
        share: shareOf(key),
        path: readWantedSignature(session.authorisation.body).path,
        openings: [...openings.values()],
        authorisation: session.authorisation,
        approvals: session.approvedBy,
      },
      message: hexToBytes(session.message),
      parties: key.parties,
      publicPackage: hexToBytes(key.publicPackage),
      timeoutMs: (to) => Math.min(patience * standing.timeoutMs(to), Date.parse(session.deadline) - Date.now()),
      signal: overtaken.signal,
    })
    const [, { signature }] = await Promise.allSettled([begun, collected]).then(() => Promise.all([begun, collected]))
    progress(attempt, 'round_completed', rounds)
    await carryOut(complete(rounds), { type: 'ProduceSignature', attempt: number, signature: bytesToHex(signature) })
  }

  return {
    name: NAME,
    reactsTo: ['SigningRequested', 'ApprovalGranted'],
    concurrency: CONCURRENCY,
    react,
  }
}

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

function unlessUnavailable(error: unknown): void {
  if (!(error instanceof Unavailable)) throw error
}

import { type CeremonyAttempt, REFUSAL_CODES } from '../../domain/ceremony/messages.ts'
import type { Witness } from '../../domain/ceremony/sayings.ts'
import { DomainError } from '../../domain/domain-error.ts'
import { keyShareStream } from '../../domain/key-share/events.ts'
import { type ActiveKey, keyShare, requireActiveKey } from '../../domain/key-share/key-share.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import type { PartyDirectory } from '../../domain/ports/party-directory.ts'
import type { Failure, SessionIdentity } from '../../domain/signing-session/events.ts'
import { type ExistingSession, isTerminal, requireSession, signingSession } from '../../domain/signing-session/signing-session.ts'
import { walletStream } from '../../domain/wallet/events.ts'
import { requireOpenWallet, wallet } from '../../domain/wallet/wallet.ts'
import { execute } from '../execute.ts'
import { type AggregateLog, load } from '../load.ts'
import { unlessErased } from '../personal-data.ts'
import { inSequence } from './in-sequence.ts'
import { unlessUndone } from './insistence.ts'
import { type ReleaseOpenings, releaseOpenings } from './opening-requests.ts'
import type { Timing } from './openings.ts'
import { doubt, type Lessons, type Opened, openingsToSign } from './openings-to-sign.ts'
import { bringPolicyChanges } from './policy-change.ts'
import { inAnswerTo, type Process, unlessOvertaken } from './process.ts'
import type { Progress } from './progress.ts'
import { CeremonyFailed } from './rounds.ts'
import { type CarryOut, signingAttempts } from './signing-attempt.ts'
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

/** How many times as long as for others a party is waited for in a round in which signers open together: it is that much more work. */
const JOINT_ROUND = 3

/**
 * Makes the signature that a session asks for, once it is approved: in one round when openings are in stock. Of several coordinators at one session the one
 * whose attempt is recorded first goes on, and the others stop: no signer gives two contributions to one attempt. A failed attempt is undone in reverse: openings are
 * released, whoever watches is told, and the next attempt's event says why, which goes on at once with fresh openings and without those at fault.
 */
export function signingProcess(dependencies: SigningDependencies): Process {
  const { log, directory, standing, presignatures, witness, progress, timing = TIMING } = dependencies
  const channel = measuredChannel(dependencies.channel, standing)
  const patient = { ...standing, timeoutMs: (partyId: string) => JOINT_ROUND * standing.timeoutMs(partyId) }
  const patientChannel = measuredChannel(dependencies.channel, patient)
  const attemptSignature = signingAttempts({ channel, patientChannel, progress, roundTimeoutMs: timing.roundTimeoutMs })
  const open = openingsToSign({ channel, witness, directory, standing, presignatures, timing })
  const { stock, rifts } = presignatures
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

  async function sign(session: ExistingSession, asked: Asked, keyAtFirst: ActiveKey, carryOut: CarryOut): Promise<void> {
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
  async function openInForce(key: ActiveKey, lessons: Lessons, session: ExistingSession): Promise<{ key: ActiveKey; opened: Opened }> {
    const needed = Math.max(key.threshold, session.transfer?.signers ?? 0)
    const opened = await open(key, needed, lessons, Date.parse(session.deadline) - Date.now())
    if (!opened.missing) return { key, opened }
    const now = await keyToSignWith(log, session)
    if ('code' in now || now.epoch === key.epoch) return { key, opened }
    release(key, opened.openings.values())
    return openInForce(now, lessons, session)
  }

  return {
    name: NAME,
    reactsTo: ['SigningRequested', 'ApprovalGranted'],
    concurrency: CONCURRENCY,
    react,
  }
}

const isRefusal = (code: string) => (REFUSAL_CODES as readonly string[]).includes(code)

/** The session's key as it is now, or why it may not sign any more. */
async function keyToSignWith(log: AggregateLog, { keyId, walletId }: SessionIdentity): Promise<ActiveKey | { code: string }> {
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

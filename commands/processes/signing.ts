import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import type { CeremonyAttempt } from '../../domain/ceremony/messages.ts'
import { DomainError } from '../../domain/domain-error.ts'
import { keyShareStream } from '../../domain/key-share/events.ts'
import { keyShare, requireActiveKey } from '../../domain/key-share/key-share.ts'
import { type RecordedEvent, Unavailable } from '../../domain/ports/event-log.ts'
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
import { walletStream } from '../../domain/wallet/events.ts'
import { requireOpenWallet, wallet } from '../../domain/wallet/wallet.ts'
import { execute } from '../execute.ts'
import { type AggregateLog, load } from '../load.ts'
import { collectSignature } from './contributions.ts'
import { inSequence } from './in-sequence.ts'
import { gatherOpenings, type Timing } from './openings.ts'
import { createPartyChoice } from './party-choice.ts'
import { bringPolicyChanges } from './policy-change.ts'
import { inAnswerTo, type Process, unlessOvertaken } from './process.ts'
import type { Progress } from './progress.ts'
import { CeremonyFailed, type Said } from './rounds.ts'

export type SigningDependencies = {
  log: AggregateLog
  channel: PartyChannel
  directory: Pick<PartyDirectory, 'isUp'>
  progress: Progress
  timing?: Timing & { roundTimeoutMs: number }
}

const NAME = 'signing'
const CONCURRENCY = 16
/** Attempts at one session, those of a coordinator that went away included. */
const MAX_ATTEMPTS = 5

/** A round of signing takes some 20 ms; what takes fifty times as long is not coming, unless the whole machine is that slow. */
const TIMING = { hedgeAfterMs: 150, windowMs: 2_000, patienceMs: 10_000, roundTimeoutMs: 1_000 }

/** What shows that a party is wrong, and not only slow, restarted or accused: it is asked no more in this session. Others are asked last. */
const PROVEN = ['invalid_contribution', 'invalid_message', 'invalid_reply']

/** What a party says also when a change of the policy has not reached it yet. */
const OUTDATED = ['policy_forbids', 'approvals_missing', 'approval_by_stranger']

type SigningKey = ReturnType<typeof requireActiveKey>
type CarryOut = (...commands: SigningSessionCommand[]) => Promise<unknown>

/**
 * Makes the signature that a session asks for, once it is approved. Openings are collected before an attempt is recorded, so that its event
 * names those who take part; of several coordinators at work on one session that event decides, and the others stop. What goes wrong is tried again
 * without those at fault, with fresh openings.
 */
export function signingProcess({ log, channel, directory, progress, timing = TIMING }: SigningDependencies): Process {
  const choice = createPartyChoice(directory)

  async function react(event: RecordedEvent): Promise<void> {
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
    if ('code' in key) await carryOut({ type: 'FailSigning', code: key.code, culprits: [] })
    else await sign(session, key, carryOut)
  }

  async function sign(session: ExistingSession, key: SigningKey, carryOut: CarryOut): Promise<void> {
    const { sessionId, scheme, deadline } = session
    const excluded = new Set<string>()
    let previous: Failure | null = session.attempt === 0 ? null : { code: 'interrupted', culprits: [] }

    for (let number = session.attempt + 1; number <= MAX_ATTEMPTS; number++) {
      const attempt: CeremonyAttempt = { scheme, kind: 'signing', ceremonyId: sessionId, attempt: number }
      const left = Date.parse(deadline) - Date.now()
      if (left <= 0) {
        await carryOut({ type: 'ExpireSession', now: new Date().toISOString() })
        return
      }

      const openings = await open(attempt, key, { excluded, leftMs: left })
      if (openings.size < key.threshold) {
        previous = { code: 'quorum_unavailable', culprits: key.parties.filter((id) => !openings.has(id)) }
        break
      }
      await carryOut(
        { type: 'StartSigning', attempt: number, signers: [...openings.keys()], previous },
        { type: 'CompleteRound', attempt: number, round: 1, rounds: protocolOf(scheme).rounds.signing },
      )
      progress(attempt, 'round_completed', 1)
      try {
        const { signature, completed } = await contribute(attempt, session, key, openings)
        await carryOut(...completed, { type: 'ProduceSignature', attempt: number, signature })
        return progress(attempt, 'completed')
      } catch (error) {
        if (!(error instanceof CeremonyFailed)) throw error
        previous = { code: error.code, culprits: error.culprits }
        for (const id of error.culprits) {
          choice.failed(id)
          if (PROVEN.includes(error.code)) excluded.add(id)
        }
        if (OUTDATED.includes(error.code)) await bringPolicyChanges({ log, channel }, session).catch(unlessUnavailable)
        progress(attempt, 'attempt_failed')
      }
    }
    await carryOut({ type: 'FailSigning', ...(previous ?? { code: 'interrupted', culprits: [] }) })
    progress({ kind: 'signing', ceremonyId: sessionId }, 'failed')
  }

  async function open(
    attempt: CeremonyAttempt,
    { keyId, attempt: generation, publicKey, parties, threshold }: SigningKey,
    { excluded, leftMs }: { excluded: ReadonlySet<string>; leftMs: number },
  ): Promise<ReadonlyMap<string, Said>> {
    const { said, slow, failures } = await gatherOpenings(
      channel,
      attempt,
      { type: 'openSigning', share: { keyId, attempt: generation, publicKey: hexToBytes(publicKey) } },
      {
        candidates: choice.rank(parties.filter((id) => !excluded.has(id))),
        needed: threshold,
        isUp: directory.isUp,
        hedgeAfterMs: timing.hedgeAfterMs,
        windowMs: Math.min(timing.windowMs, leftMs),
        patienceMs: Math.min(timing.patienceMs, leftMs),
      },
    )
    for (const id of [...slow, ...failures.keys()]) choice.failed(id)
    return said
  }

  async function contribute(
    attempt: CeremonyAttempt,
    { message, authorisation, approvedBy }: ExistingSession,
    { parties, publicPackage }: SigningKey,
    openings: ReadonlyMap<string, Said>,
  ): Promise<{ signature: string; completed: SigningSessionCommand[] }> {
    const completed: SigningSessionCommand[] = []
    const { signature } = await collectSignature(channel, {
      attempt,
      task: { message: hexToBytes(message), signers: [...openings.keys()], authorisation, approvals: approvedBy },
      parties,
      publicPackage: hexToBytes(publicPackage),
      openings,
      roundTimeoutMs: timing.roundTimeoutMs,
      onRound: (round) => {
        completed.push({ type: 'CompleteRound', attempt: attempt.attempt, round, rounds: protocolOf(attempt.scheme).rounds.signing })
        progress(attempt, 'round_completed', round)
      },
    })
    return { signature: bytesToHex(signature), completed }
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

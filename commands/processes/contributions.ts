import type { CeremonyAttempt, SigningRequest } from '../../domain/ceremony/messages.ts'
import { signingTranscript } from '../../domain/ceremony/opening.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { parsePath } from '../../domain/threshold/derivation-path.ts'
import { ProtocolAbort, type Signature } from '../../domain/threshold/protocol.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { equalBytes } from '../../domain/threshold/rounds.ts'
import { accusedBy, askParty, CeremonyFailed, culpritsOf, invalidReply, type PartyFailure } from './rounds.ts'

export type ContributionsWanted = {
  attempt: CeremonyAttempt
  task: SigningRequest
  /** What the signers should find to be asked for. */
  message: Uint8Array
  /** Holders of the key in the order of their numbers. */
  parties: readonly string[]
  publicPackage: Uint8Array
  /** How long signers are waited for at most. */
  timeoutMs: number
  signal: AbortSignal
}

/** Another coordinator was first with this party, which is no fault of the party's. */
export const NOBODYS_FAULT: readonly string[] = ['conflicting_request', 'signed_already']

/**
 * Asks all who have opened for their contributions, and combines them into a signature that verifies. The first that fails ends it: whoever has not answered by
 * then is in doubt. An accusation is not believed, but looked into.
 * @throws CeremonyFailed naming those at fault, Unavailable, and what the signal was aborted with
 */
export async function collectSignature(channel: PartyChannel, wanted: ContributionsWanted): Promise<Signature> {
  const { attempt, task, message, timeoutMs } = wanted
  const { openings, path } = task
  const protocol = protocolOf(attempt.scheme)
  const signers = openings.map(({ partyId }) => partyId)
  const transcript = signingTranscript(openings, { path, message })
  const contributions = new Map<string, Uint8Array>()
  const over = new AbortController()
  const signal = AbortSignal.any([wanted.signal, over.signal])

  /** All that a signer is told of the others are their openings. Those that are sound are no reason to accuse anybody. */
  const lookInto = (accuser: string, failure: PartyFailure): PartyFailure => {
    const accused = accusedBy(accuser, failure, signers)
    if (accused.length === 0) return failure
    const unsound = openings.filter(({ partyId, broadcast }) => accused.includes(partyId) && !protocol.isOpening(broadcast))
    return unsound.length > 0
      ? { code: 'invalid_message', from: accuser, culprits: unsound.map(({ partyId }) => partyId) }
      : invalidReply(accuser)
  }

  const ask = async (to: string): Promise<void> => {
    const outcome = await askParty(channel, attempt, { to, round: 1, request: { type: 'sign', task }, timeoutMs, signal })
    const inDoubt = () => [to, ...signers.filter((id) => !contributions.has(id))]
    if ('failure' in outcome) {
      const failure = lookInto(to, outcome.failure)
      const { code } = failure
      throw new CeremonyFailed(code, NOBODYS_FAULT.includes(code) ? [] : culpritsOf([failure], signers), inDoubt())
    }
    const { answer } = outcome
    if (answer.type !== 'contributed') throw new CeremonyFailed('invalid_reply', [to], inDoubt())
    // It was told something else on the way, or says so: which of the two, nobody can know.
    if (!equalBytes(answer.transcript, transcript)) throw new CeremonyFailed('equivocation', [], inDoubt())
    contributions.set(to, answer.contribution)
  }

  const asking = signers.map(ask)
  try {
    await Promise.all(asking)
  } finally {
    over.abort()
    await Promise.allSettled(asking)
  }

  const broadcasts = new Map(openings.map(({ partyId, broadcast }) => [partyId, broadcast]))
  return combine(wanted, path, { broadcasts, contributions })
}

/**
 * The signature that contributions make together. What signers broadcast and contribute is by their ids, in the same order.
 * @throws CeremonyFailed naming those whose words are at fault
 */
export function combine(
  { attempt: { scheme }, message, parties, publicPackage }: Pick<ContributionsWanted, 'attempt' | 'message' | 'parties' | 'publicPackage'>,
  path: string,
  { broadcasts, contributions }: { broadcasts: ReadonlyMap<string, Uint8Array>; contributions: ReadonlyMap<string, Uint8Array> },
): Signature {
  const numberOf = (id: string) => parties.indexOf(id) + 1
  const byNumber = (said: ReadonlyMap<string, Uint8Array>) => new Map([...said].map(([id, bytes]) => [numberOf(id), bytes]))
  try {
    return protocolOf(scheme).aggregate({
      publicPackage,
      path: parsePath(path),
      signers: [...broadcasts.keys()].map(numberOf),
      message,
      broadcasts: byNumber(broadcasts),
      contributions: byNumber(contributions),
    })
  } catch (error) {
    if (!(error instanceof ProtocolAbort)) throw error
    throw new CeremonyFailed(
      error.code,
      error.culprits.map((party) => parties[party - 1]!),
    )
  }
}

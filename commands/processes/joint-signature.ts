import type { JointSigningRequest } from '../../domain/ceremony/messages.ts'
import { jointSigningTranscript } from '../../domain/ceremony/opening.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import type { Signature } from '../../domain/threshold/protocol.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { equalBytes } from '../../domain/threshold/rounds.ts'
import { type ContributionsWanted, combine, NOBODYS_FAULT } from './contributions.ts'
import { leadConversation } from './led-conversation.ts'
import { CeremonyFailed } from './rounds.ts'

export type JointSignatureWanted = Omit<ContributionsWanted, 'task'> & {
  task: JointSigningRequest
  /** How long signers that are down are waited for. */
  windowMs: number
  onRound(round: number): void
}

/**
 * Has signers open together and contribute, and combines their contributions into a signature that verifies.
 * @throws CeremonyFailed naming those at fault; doubtful are those who accuse others. Unavailable, and what the signal was aborted with
 */
export async function signTogether(channel: PartyChannel, wanted: JointSignatureWanted): Promise<Signature> {
  const { attempt, task, message, timeoutMs, windowMs, signal, onRound } = wanted
  const { signers, path } = task
  const { signing } = protocolOf(attempt.scheme)
  if (signing.openedBy !== 'all') throw new Error(`the signers of ${attempt.scheme} do not open together`)
  const talk = { attempt, request: { type: 'signTogether' as const, task }, participants: signers, alike: signers, rounds: signing.rounds }
  const contributed = await leadConversation(
    channel,
    { ...talk, windowMs, roundTimeoutMs: timeoutMs, signal, onRound },
    'contributed',
  ).catch(judge)

  const broadcasts = new Map<string, Uint8Array>()
  const contributions = new Map<string, Uint8Array>()
  for (const id of signers) {
    const { broadcast, contribution, transcript } = contributed.get(id)!
    if (!broadcast) throw new CeremonyFailed('invalid_reply', [id])
    // It was told something else on the way, or says so: which of the two, nobody can know.
    if (!equalBytes(transcript, jointSigningTranscript(signers, { path, message, broadcast }))) throw new CeremonyFailed('equivocation', [])
    broadcasts.set(id, broadcast)
    contributions.set(id, contribution)
  }
  return combine(wanted, path, { broadcasts, contributions })
}

/** Who cannot go on, and names nobody else, has heard what does not fit together: it is as likely to be the one at fault as any other of them. */
function judge(error: unknown): never {
  if (!(error instanceof CeremonyFailed)) throw error
  const { code, culprits, failures } = error
  const atALoss = failures.filter(({ from, code, culprits }) => code === 'protocol_abort' && culprits.every((id) => id === from))
  const named = NOBODYS_FAULT.includes(code) ? [] : culprits.filter((id) => !atALoss.some(({ from }) => from === id))
  const accusers = failures.filter((failure) => !atALoss.includes(failure)).map(({ from }) => from)
  throw new CeremonyFailed(code, named, accusers, failures)
}

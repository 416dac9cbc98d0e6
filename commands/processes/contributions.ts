import type { CeremonyAttempt, CeremonyRequest, SigningRequest } from '../../domain/ceremony/messages.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { type ByParty, ProtocolAbort, type Signature } from '../../domain/threshold/protocol.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { askEach, CeremonyFailed, heardBy, type Said } from './rounds.ts'

export type SigningRounds = {
  attempt: CeremonyAttempt
  task: SigningRequest
  /** Holders of the key in the order of their numbers. */
  parties: readonly string[]
  publicPackage: Uint8Array
  /** What the signers have said in the first round. */
  openings: ReadonlyMap<string, Said>
  roundTimeoutMs: number
  onRound?(round: number): void
}

/**
 * Leads the signers from the second round to their contributions, and combines these into a signature that verifies.
 * @throws CeremonyFailed naming those at fault, Unavailable
 */
export async function collectSignature(channel: PartyChannel, rounds: SigningRounds): Promise<Signature> {
  const { attempt, task, parties, publicPackage, openings, roundTimeoutMs, onRound } = rounds
  const { message, signers } = task
  const protocol = protocolOf(attempt.scheme)
  const last = protocol.rounds.signing
  const broadcasts: ByParty[] = []
  const numbered = <Reply>(replies: ReadonlyMap<string, Reply>, bytesOf: (reply: Reply) => Uint8Array): ByParty =>
    new Map([...replies].map(([id, reply]) => [parties.indexOf(id) + 1, bytesOf(reply)]))

  let said = openings
  const ask = <Type extends 'said' | 'contributed'>(round: number, type: Type) =>
    askEach(channel, attempt, signers, type, (to) => {
      const heard = heardBy(to, said)
      const request: CeremonyRequest = round === 2 ? { type: 'sign', task, heard } : { type: 'proceed', heard }
      return { round, request, timeoutMs: roundTimeoutMs }
    })

  for (let round = 2; round < last; round++) {
    broadcasts.push(numbered(said, ({ statement }) => statement.broadcast))
    said = await ask(round, 'said')
    onRound?.(round)
  }
  broadcasts.push(numbered(said, ({ statement }) => statement.broadcast))
  const contributed = await ask(last, 'contributed')
  onRound?.(last)
  try {
    return protocol.aggregate({
      publicPackage,
      path: [],
      signers: signers.map((id) => parties.indexOf(id) + 1),
      message,
      broadcasts,
      contributions: numbered(contributed, ({ contribution }) => contribution),
    })
  } catch (error) {
    if (!(error instanceof ProtocolAbort)) throw error
    throw new CeremonyFailed(
      error.code,
      error.culprits.map((party) => parties[party - 1]!),
    )
  }
}

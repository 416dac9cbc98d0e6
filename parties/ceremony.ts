import type { VerifyJws } from '../domain/authorisation/intent.ts'
import type { CeremonyReply, CeremonyRequest } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import type { Chains } from '../domain/ports/chain.ts'
import type { Asked } from '../domain/ports/party-channel.ts'
import type { Prices } from '../domain/ports/prices.ts'
import type { SigningLedger } from '../domain/ports/signing-ledger.ts'
import { ProtocolAbort, type RandomBytes } from '../domain/threshold/protocol.ts'
import type { Voice } from './conversation.ts'
import type { Fence } from './fence.ts'
import { refusalOfAbort } from './protocol-refusal.ts'
import type { ShareStore } from './share-store.ts'

/** A party's side of a ceremony under way: an answer to the first round, and to each of the later ones in turn. */
export type Ceremony = {
  readonly opening: CeremonyReply
  /** @throws Refusal */
  next(request: CeremonyRequest): Promise<{ reply: CeremonyReply; done: boolean }>
  /** Forgets its secrets. */
  destroy(): void
}

/** A ceremony that was over with the answer to its first round. */
export type Concluded = { readonly concluded: CeremonyReply }

export type CeremonyDependencies = {
  partyId: string
  shares: ShareStore
  voice: Voice
  rng: RandomBytes
  verify: VerifyJws
  ledger: SigningLedger
  chains: Chains
  prices: Prices
  fence: Pick<Fence, 'assertLifted'>
  /** Milliseconds since the epoch. */
  now(): number
}

/** Begins the ceremony that a first round asks for. @throws Refusal */
export type BeginCeremony = (asked: Asked, dependencies: CeremonyDependencies) => Promise<Ceremony>

export function requireType<Type extends CeremonyRequest['type']>(
  request: CeremonyRequest,
  type: Type,
): Extract<CeremonyRequest, { type: Type }> {
  if (request.type !== type) throw new Refusal('malformed', `${type} expected in this round`)
  return request as Extract<CeremonyRequest, { type: Type }>
}

/**
 * What the engine says against the share is a matter of this party alone; against what it was asked for, of whoever asks; against what others have
 * said, theirs. `parties` are the participants in the order of their numbers.
 * @throws Refusal `share_unreadable`, `malformed`, and as `refusalOfAbort`
 */
export async function participate<T>(work: () => T | Promise<T>, parties: readonly string[] = []): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ProtocolAbort)) throw error
    const { code, message } = error
    if (code === 'invalid_key') throw new Refusal('share_unreadable', message)
    if (code === 'invalid_parameters') throw new Refusal('malformed', message)
    throw refusalOfAbort(error, (party) => parties[party - 1]!)
  }
}

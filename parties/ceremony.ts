import type { CeremonyReply, CeremonyRequest } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import type { Asked } from '../domain/ports/party-channel.ts'
import type { SigningLedger } from '../domain/ports/signing-ledger.ts'
import type { RandomBytes } from '../domain/threshold/protocol.ts'
import type { Voice } from './conversation.ts'
import type { Fence } from './fence.ts'
import type { ShareStore } from './share-store.ts'

/** A party's side of a ceremony under way: an answer to the first round, and to each of the later ones in turn. */
export type Ceremony = {
  readonly opening: CeremonyReply
  /** `digest` is that of the request. @throws Refusal */
  next(request: CeremonyRequest, digest: Uint8Array): Promise<{ reply: CeremonyReply; done: boolean }>
  /** Forgets its secrets. */
  destroy(): void
}

export type CeremonyDependencies = {
  partyId: string
  shares: ShareStore
  voice: Voice
  rng: RandomBytes
  ledger: SigningLedger
  fence: Pick<Fence, 'assertLifted'>
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

import { randomUUID } from 'node:crypto'
import type { CeremonyAttempt } from '../../domain/ceremony/messages.ts'
import { isGenuine, type Opening } from '../../domain/ceremony/opening.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { equalBytes } from '../../domain/threshold/rounds.ts'
import { leadConversation } from './led-conversation.ts'
import { type OpenableKey, type OpeningRequests, shareOf } from './opening-requests.ts'
import { CeremonyFailed } from './rounds.ts'
import type { Lot } from './stock.ts'

/**
 * Has signers open one signature to come together. What each answers is checked to be its own word for this key, and that all have come to the same.
 * `onRound` is waited for before the next round begins.
 * @throws CeremonyFailed naming those at fault, Unavailable
 */
export async function presign(
  { channel, witness }: OpeningRequests,
  key: OpenableKey,
  { signers, timeoutMs, onRound }: { signers: readonly string[]; timeoutMs: number; onRound?(): unknown },
): Promise<Lot> {
  const { scheme } = key
  const { signing } = protocolOf(scheme)
  if (signing.openedBy !== 'all') throw new Error(`the signers of ${scheme} do not open together`)
  const share = shareOf(key)
  const attempt: CeremonyAttempt = { scheme, kind: 'opening', ceremonyId: randomUUID(), attempt: 1 }
  const request = { type: 'presign' as const, share, signers }
  const answers = await leadConversation(
    channel,
    {
      ...{ attempt, request, participants: signers, alike: signers, rounds: signing.rounds, windowMs: 0, roundTimeoutMs: timeoutMs },
      ...(onRound && { onRound }),
    },
    'opened',
  )
  const now = Date.now()
  const lot: Opening[] = signers.map((id) => {
    const [opening, ...further] = answers.get(id)!.openings
    const isWhole = opening?.partyId === id && further.length === 0 && isGenuine(opening, { ...share, scheme }, witness, now)
    if (!isWhole) throw new CeremonyFailed('invalid_reply', [id])
    return opening
  })
  if (!lot.every(({ broadcast }) => equalBytes(broadcast, lot[0]!.broadcast))) throw new CeremonyFailed('equivocation', [])
  return lot
}

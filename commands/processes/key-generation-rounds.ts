import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { CeremonyAttempt, KeyRequest } from '../../domain/ceremony/messages.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { ProtocolAbort } from '../../domain/threshold/protocol.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { equalBytes } from '../../domain/threshold/rounds.ts'
import { requireAccord } from './accord.ts'
import { gatherOpenings } from './openings.ts'
import { type Answer, askEach, CeremonyFailed, heardBy, type Said } from './rounds.ts'

export type GeneratedKey = {
  publicKey: string
  publicPackage: string
  confirmations: readonly { partyId: string; packageDigest: string }[]
}

export type GenerationTiming = {
  /** How long parties that are down are waited for. */
  windowMs: number
  roundTimeoutMs: number
}

export type GenerationRounds = {
  attempt: CeremonyAttempt
  key: KeyRequest
  timing: GenerationTiming
  /** Called with SHA-256 of what each party has broadcast in the first round, before the second begins. */
  onCommitments(digests: readonly { partyId: string; digest: string }[]): Promise<unknown>
  onRound?(round: number): void
}

/**
 * Leads all holders through the generation of a key, until each has said that its share is sealed and on disk.
 * @throws CeremonyFailed naming those at fault, Unavailable
 */
export async function generateSharedKey(channel: PartyChannel, rounds: GenerationRounds): Promise<GeneratedKey> {
  const { attempt, key, timing, onCommitments, onRound } = rounds
  const { parties } = key
  const last = protocolOf(attempt.scheme).rounds.keyGeneration

  let said = await openAll(channel, rounds)
  requireAccord(said)
  onRound?.(1)
  await onCommitments(parties.map((partyId) => ({ partyId, digest: hexDigest(said.get(partyId)!.statement.broadcast) })))
  const proceed = <Type extends 'said' | 'generated'>(round: number, type: Type) =>
    askEach(channel, attempt, parties, type, (to) => ({
      round,
      request: { type: 'proceed', heard: heardBy(to, said) },
      timeoutMs: timing.roundTimeoutMs,
    }))
  for (let round = 2; round <= last; round++) {
    said = await proceed(round, 'said')
    requireAccord(said)
    onRound?.(round)
  }
  return agreedKey(key, attempt, await proceed(last + 1, 'generated'))
}

async function openAll(channel: PartyChannel, { attempt, key, timing }: GenerationRounds): Promise<ReadonlyMap<string, Said>> {
  const { parties } = key
  const { windowMs, roundTimeoutMs } = timing
  const { said, failures } = await gatherOpenings(
    channel,
    attempt,
    { type: 'generateKey', key },
    { candidates: parties, needed: parties.length, isUp: () => false, hedgeAfterMs: roundTimeoutMs, windowMs, patienceMs: windowMs },
  )
  const missing = parties.filter((id) => !said.has(id))
  const [first] = missing
  if (first !== undefined) throw new CeremonyFailed(failures.get(first) ?? 'party_timeout', missing)
  return said
}

/** All must have arrived at the same package, and it must be of the key that was asked for. */
function agreedKey(
  { threshold, parties }: KeyRequest,
  { scheme }: CeremonyAttempt,
  generated: ReadonlyMap<string, Extract<Answer, { type: 'generated' }>>,
): GeneratedKey {
  const [{ publicPackage, publicKey }] = [...generated.values()] as [Extract<Answer, { type: 'generated' }>]
  const isAgreed = [...generated.values()].every(
    (each) => equalBytes(each.publicPackage, publicPackage) && equalBytes(each.publicKey, publicKey),
  )
  if (!isAgreed || !isOfKey()) throw new CeremonyFailed('package_mismatch', [])
  return {
    publicKey: bytesToHex(publicKey),
    publicPackage: bytesToHex(publicPackage),
    confirmations: parties.map((partyId) => ({ partyId, packageDigest: hexDigest(generated.get(partyId)!.publicPackage) })),
  }

  function isOfKey(): boolean {
    try {
      const info = protocolOf(scheme).inspect(publicPackage)
      return info.threshold === threshold && info.parties === parties.length && equalBytes(info.publicKey, publicKey)
    } catch (error) {
      if (error instanceof ProtocolAbort) return false
      throw error
    }
  }
}

const hexDigest = (bytes: Uint8Array): string => bytesToHex(sha256(bytes))

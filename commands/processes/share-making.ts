import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { CeremonyAttempt, CeremonyRequest } from '../../domain/ceremony/messages.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { ProtocolAbort } from '../../domain/threshold/protocol.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { equalBytes } from '../../domain/threshold/rounds.ts'
import { leadConversation } from './led-conversation.ts'
import { type Answer, CeremonyFailed } from './rounds.ts'

export type ShareMaking = {
  attempt: CeremonyAttempt
  /** First round, the same for all. */
  request: CeremonyRequest
  /** All are needed. */
  participants: readonly string[]
  /** Those of them who have the same to do, and must go about it alike. */
  alike: readonly string[]
  /** How many times each speaks before it has its share. */
  rounds: number
  /** What the key is that the shares are to be of. */
  key: { threshold: number; parties: readonly string[] }
  /** Of the policy that all are to have sealed with their shares, when it is known. */
  policyDigest?: Uint8Array
  /** How long participants that are down are waited for. */
  windowMs: number
  roundTimeoutMs: number
  /** Called with SHA-256 of what each has broadcast in the first round, before the second begins. */
  onCommitments?(digests: readonly { partyId: string; digest: string }[]): Promise<unknown>
  onRound?(round: number): void
}

/** A key of which every participant has said that it has its share, sealed and on disk. */
export type MadeShares = {
  publicKey: string
  publicPackage: string
  confirmations: readonly { partyId: string; packageDigest: string }[]
}

type Made = Extract<Answer, { type: 'generated' }>

/**
 * Leads all participants through a ceremony that leaves each with a share: the generation, the refresh or the recovery of a key.
 * @throws CeremonyFailed naming those at fault, Unavailable
 */
export async function makeShares(channel: PartyChannel, making: ShareMaking): Promise<MadeShares> {
  const { participants, onCommitments, onRound } = making
  const made = await leadConversation(
    channel,
    {
      ...making,
      async onRound(round, said) {
        onRound?.(round)
        if (round === 1)
          await onCommitments?.(participants.map((partyId) => ({ partyId, digest: hexDigest(said.get(partyId)!.statement.broadcast) })))
      },
    },
    'generated',
  )
  return agreedKey(making, made)
}

/** All must have arrived at the same package, it must be of the key that was asked for, and all must have sealed the same policy. */
function agreedKey({ attempt: { scheme }, participants, key, policyDigest }: ShareMaking, made: ReadonlyMap<string, Made>): MadeShares {
  const [{ publicPackage, publicKey, policyDigest: sealed }] = [...made.values()] as [Made]
  const isAgreed = [...made.values()].every(
    (each) =>
      equalBytes(each.publicPackage, publicPackage) &&
      equalBytes(each.publicKey, publicKey) &&
      equalBytes(each.policyDigest, policyDigest ?? sealed),
  )
  if (!isAgreed || !isOfKey()) throw new CeremonyFailed('package_mismatch', [])
  return {
    publicKey: bytesToHex(publicKey),
    publicPackage: bytesToHex(publicPackage),
    confirmations: participants.map((partyId) => ({ partyId, packageDigest: hexDigest(made.get(partyId)!.publicPackage) })),
  }

  function isOfKey(): boolean {
    try {
      const info = protocolOf(scheme).inspect(publicPackage)
      return info.threshold === key.threshold && info.parties === key.parties.length && equalBytes(info.publicKey, publicKey)
    } catch (error) {
      if (error instanceof ProtocolAbort) return false
      throw error
    }
  }
}

const hexDigest = (bytes: Uint8Array): string => bytesToHex(sha256(bytes))

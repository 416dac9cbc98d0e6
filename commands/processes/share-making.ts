import { setTimeout as delay } from 'node:timers/promises'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { CeremonyAttempt, CeremonyRequest } from '../../domain/ceremony/messages.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { ProtocolAbort } from '../../domain/threshold/protocol.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { equalBytes } from '../../domain/threshold/rounds.ts'
import { requireAccord } from './accord.ts'
import { type Answer, accusedBy, askEach, askParty, CeremonyFailed, heardBy, invalidReply, type Said } from './rounds.ts'

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

const ASK_AGAIN_AFTER_MS = 150
/** A question may be lost with whoever held it. Asked again in the same words it is answered the same. */
const ANSWER_WITHIN_MS = 1_000
/** What a party can get over while it is waited for. */
const PASSING = ['party_unavailable', 'reply_forged', 'party_timeout', 'busy', 'vault_unavailable']

/**
 * Leads all participants through a ceremony that leaves each with a share: the generation, the refresh or the recovery of a key.
 * @throws CeremonyFailed naming those at fault, Unavailable
 */
export async function makeShares(channel: PartyChannel, making: ShareMaking): Promise<MadeShares> {
  const { attempt, participants, alike, rounds, roundTimeoutMs, onCommitments, onRound } = making
  const inAccord = (said: ReadonlyMap<string, Said>) => {
    requireAccord(new Map([...said].filter(([id]) => alike.includes(id))))
    return said
  }
  let said = inAccord(await openAll(channel, making))
  onRound?.(1)
  await onCommitments?.(participants.map((partyId) => ({ partyId, digest: hexDigest(said.get(partyId)!.statement.broadcast) })))
  const proceed = <Type extends 'said' | 'generated'>(round: number, type: Type) =>
    askEach(channel, attempt, participants, type, (to) => ({
      round,
      request: { type: 'proceed', heard: heardBy(to, said) },
      timeoutMs: roundTimeoutMs,
    }))
  for (let round = 2; round <= rounds; round++) {
    said = inAccord(await proceed(round, 'said'))
    onRound?.(round)
  }
  return agreedKey(making, await proceed(rounds + 1, 'generated'))
}

/** Asks everybody until it has opened; those that are down, or cannot yet, until the window closes. */
async function openAll(
  channel: PartyChannel,
  { attempt, request, participants, windowMs, roundTimeoutMs }: ShareMaking,
): Promise<ReadonlyMap<string, Said>> {
  const closesAt = Date.now() + windowMs
  const timeoutMs = Math.min(ANSWER_WITHIN_MS, roundTimeoutMs)
  const failures = new Map<string, readonly string[]>()
  const said = new Map<string, Said>()
  let firstFailure: string | undefined

  const open = async (to: string): Promise<void> => {
    for (;;) {
      const outcome = await askParty(channel, attempt, { to, round: 1, request, timeoutMs })
      if ('answer' in outcome && outcome.answer.type === 'said') {
        said.set(to, outcome.answer)
        return
      }
      const failure = 'failure' in outcome ? outcome.failure : invalidReply(to)
      // Nothing of the others has come to anybody yet that could be held against them.
      const { code, culprits } = accusedBy(to, failure, participants).length > 0 ? invalidReply(to) : failure
      if (!PASSING.includes(code) || Date.now() + ASK_AGAIN_AFTER_MS >= closesAt) {
        firstFailure ??= code
        failures.set(to, culprits)
        return
      }
      await delay(ASK_AGAIN_AFTER_MS)
    }
  }

  await Promise.all(participants.map(open))
  if (firstFailure !== undefined) {
    const accused = new Set([...failures.values()].flat())
    throw new CeremonyFailed(
      firstFailure,
      participants.filter((id) => accused.has(id)),
    )
  }
  return new Map(participants.map((id) => [id, said.get(id)!]))
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

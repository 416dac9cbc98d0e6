import type { Decider } from '../decider.ts'
import { DomainError } from '../domain-error.ts'
import { MAX_PARTIES, SCHEMES } from '../threshold/scheme.ts'
import type { KeyGenerationRequest, KeyShareEvent } from './events.ts'

export type KeyShare = { status: 'absent' } | ExistingKeyShare

export type ExistingKeyShare = KeyGenerationRequest & {
  status: 'pending' | 'generating' | 'active' | 'failed' | 'revoked'
  /** Attempt at key generation; the shares in force are those of the attempt that completed. */
  attempt: number
  epoch: number
  publicKey: string | null
  publicPackage: string | null
  failure: { code: string; culprits: readonly string[] } | null
}

export type KeyShareCommand =
  | ({ type: 'RequestKeyGeneration' } & KeyGenerationRequest)
  | { type: 'StartKeyGeneration'; attempt: number }
  | { type: 'RecordCommitments'; attempt: number; digests: readonly { partyId: string; digest: string }[] }
  | {
      type: 'CompleteKeyGeneration'
      attempt: number
      confirmations: readonly { partyId: string; packageDigest: string }[]
      publicKey: string
      publicPackage: string
    }
  | { type: 'FailKeyGeneration'; code: string; culprits: readonly string[] }
  | { type: 'RevokeKey'; reason: string }
  | { type: 'CountPresignatures'; generated: number; consumed: number; expired: number }

export const keyShare: Decider<KeyShare, KeyShareCommand, KeyShareEvent> = {
  stateVersion: 1,
  initial: { status: 'absent' },

  decide(state, command) {
    if (command.type === 'RequestKeyGeneration') {
      if (state.status !== 'absent') throw new DomainError('key_exists', 'the key exists already')
      checkRequest(command)
      const { type: _, ...data } = command
      return [{ type: 'KeyGenerationRequested', data }]
    }
    const key = requireKey(state)
    const { keyId, walletId } = key
    switch (command.type) {
      case 'StartKeyGeneration': {
        requireUnfinished(key)
        const { attempt } = command
        if (attempt !== key.attempt + 1) throw new DomainError('key_not_pending', `attempt ${key.attempt} was the last one`)
        return [{ type: 'KeyGenerationStarted', data: { keyId, walletId, attempt } }]
      }
      case 'RecordCommitments': {
        const { attempt, digests } = command
        requireAttempt(key, attempt)
        return digests.map((digest) => ({ type: 'CommitmentReceived', data: { keyId, walletId, attempt, ...digest } }))
      }
      case 'CompleteKeyGeneration': {
        const { attempt, publicKey, publicPackage, confirmations } = command
        requireAttempt(key, attempt)
        requireEveryParty(key, confirmations)
        return [
          ...confirmations.map((confirmation) => ({
            type: 'ShareGenerated' as const,
            data: { keyId, walletId, attempt, ...confirmation },
          })),
          { type: 'KeyGenerationCompleted', data: { keyId, walletId, attempt, publicKey, publicPackage, epoch: 1 } },
        ]
      }
      case 'FailKeyGeneration': {
        requireUnfinished(key)
        const { code, culprits } = command
        return [{ type: 'KeyGenerationFailed', data: { keyId, walletId, code, culprits } }]
      }
      case 'RevokeKey':
        if (key.status === 'revoked') return []
        if (key.status !== 'active') throw new DomainError('key_not_active', `the key is ${key.status}`)
        return [{ type: 'KeyRevoked', data: { keyId, walletId, reason: command.reason } }]
      case 'CountPresignatures': {
        const { generated, consumed, expired } = command
        return [{ type: 'PresignaturesCounted', data: { keyId, walletId, generated, consumed, expired } }]
      }
    }
  },

  evolve(state, event) {
    if (event.type === 'KeyGenerationRequested')
      return { status: 'pending', attempt: 0, epoch: 0, publicKey: null, publicPackage: null, failure: null, ...event.data }
    if (state.status === 'absent') return state
    switch (event.type) {
      case 'KeyGenerationStarted':
        return { ...state, status: 'generating', attempt: event.data.attempt }
      case 'KeyGenerationCompleted': {
        const { publicKey, publicPackage, epoch } = event.data
        return { ...state, status: 'active', publicKey, publicPackage, epoch }
      }
      case 'KeyGenerationFailed':
        return { ...state, status: 'failed', failure: { code: event.data.code, culprits: event.data.culprits } }
      case 'KeyRevoked':
        return { ...state, status: 'revoked' }
      case 'CommitmentReceived':
      case 'ShareGenerated':
      case 'PresignaturesCounted':
        return state
    }
  },
}

/** @throws DomainError `key_not_found` */
export function requireKey(state: KeyShare): ExistingKeyShare {
  if (state.status === 'absent') throw new DomainError('key_not_found', 'no such key')
  return state
}

/** A key that can sign. @throws DomainError `key_not_found`, `key_not_active` */
export function requireActiveKey(state: KeyShare): ExistingKeyShare & { publicKey: string; publicPackage: string } {
  const key = requireKey(state)
  if (key.status !== 'active' || key.publicKey === null || key.publicPackage === null)
    throw new DomainError('key_not_active', `the key is ${key.status}`)
  return { ...key, publicKey: key.publicKey, publicPackage: key.publicPackage }
}

function checkRequest({ scheme, threshold, parties }: { scheme: string; threshold: number; parties: readonly string[] }): void {
  if (!(SCHEMES as readonly string[]).includes(scheme))
    throw new DomainError('scheme_unknown', `scheme must be one of ${SCHEMES.join(', ')}`, '/scheme')
  if (parties.length < 1 || parties.length > MAX_PARTIES)
    throw new DomainError('parties_invalid', `a key is shared by 1 to ${MAX_PARTIES} parties`, '/parties')
  if (new Set(parties).size !== parties.length) throw new DomainError('parties_invalid', 'a party is named twice', '/parties')
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > parties.length)
    throw new DomainError('threshold_invalid', `threshold must be between 1 and the number of parties (${parties.length})`, '/threshold')
}

function requireUnfinished(key: ExistingKeyShare): void {
  if (key.status !== 'pending' && key.status !== 'generating') throw new DomainError('key_not_pending', `the key is ${key.status}`)
}

function requireAttempt(key: ExistingKeyShare, attempt: number): void {
  if (key.status !== 'generating' || key.attempt !== attempt)
    throw new DomainError('key_not_pending', `attempt ${attempt} is not under way: the key is ${key.status}, attempt ${key.attempt}`)
}

/** The same public package must have been confirmed by all, or some of them could not sign later. */
function requireEveryParty(key: ExistingKeyShare, confirmations: readonly { partyId: string; packageDigest: string }[]): void {
  const confirmed = new Set(confirmations.map(({ partyId }) => partyId))
  const packages = new Set(confirmations.map(({ packageDigest }) => packageDigest))
  if (confirmations.length !== key.parties.length || packages.size !== 1 || !key.parties.every((id) => confirmed.has(id)))
    throw new DomainError('parties_invalid', 'not every party has confirmed the same public package')
}

import type { Decider } from '../decider.ts'
import { DomainError } from '../domain-error.ts'
import type { Personal } from '../personal-data/sealed.ts'
import { leastThreshold, MAX_PARTIES, SCHEMES, type Scheme } from '../threshold/scheme.ts'
import type { Authorisation, KeyGenerationRequest, KeyShareEvent } from './events.ts'

export type KeyShare = { status: 'absent' } | ExistingKeyShare

export type ExistingKeyShare = KeyGenerationRequest & {
  status: 'pending' | 'generating' | 'active' | 'refreshing' | 'failed' | 'revoked'
  /** The shares in force are those of this epoch, made by this attempt: at key generation in the first epoch, at a refresh in later ones. */
  attempt: number
  epoch: number
  publicKey: string | null
  publicPackage: string | null
  failure: { code: string; culprits: readonly string[] } | null
  /** The refresh under way; `attemptsBefore` are those at earlier ones. */
  refresh: { authorisation: Personal<Authorisation>; attemptsBefore: number } | null
  /** Attempts at all refreshes, so that no two make shares of the same name. */
  refreshAttempts: number
  /** The recovery under way; `attemptsBefore` are those at earlier ones. */
  recovery: { partyId: string; authorisation: Authorisation; attemptsBefore: number } | null
  recoveryAttempts: number
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
  | { type: 'RequestKeyRefresh'; authorisation: Authorisation }
  | { type: 'StartKeyRefresh'; epoch: number; attempt: number }
  | {
      type: 'CompleteKeyRefresh'
      epoch: number
      attempt: number
      confirmations: readonly { partyId: string; packageDigest: string }[]
      publicKey: string
      publicPackage: string
    }
  | { type: 'FailKeyRefresh'; epoch: number; code: string; culprits: readonly string[] }
  | { type: 'RequestShareRecovery'; partyId: string; authorisation: Authorisation }
  | { type: 'StartShareRecovery'; attempt: number; partyId: string; helpers: readonly string[] }
  | { type: 'CompleteShareRecovery'; attempt: number; partyId: string }
  | { type: 'FailShareRecovery'; partyId: string; code: string; culprits: readonly string[] }
  | { type: 'RevokeKey'; reason: string; authorisation: Authorisation }
  | { type: 'CountPresignatures'; generated: number; consumed: number; expired: number }

const REQUESTED = {
  status: 'pending',
  attempt: 0,
  epoch: 0,
  publicKey: null,
  publicPackage: null,
  failure: null,
  refresh: null,
  refreshAttempts: 0,
  recovery: null,
  recoveryAttempts: 0,
} as const

export const keyShare: Decider<KeyShare, KeyShareCommand, KeyShareEvent> = {
  stateVersion: 2,
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
      case 'RequestKeyRefresh':
        requireAtRest(key)
        if (key.threshold === 1) throw new DomainError('threshold_of_one', 'every share of the key is as good as the key')
        return [{ type: 'KeyRefreshRequested', data: { keyId, walletId, epoch: key.epoch + 1, authorisation: command.authorisation } }]
      case 'StartKeyRefresh': {
        const { epoch, attempt } = command
        requireRefresh(key, epoch)
        if (attempt !== key.refreshAttempts + 1)
          throw new DomainError('key_not_refreshing', `attempt ${key.refreshAttempts} was the last one`)
        return [{ type: 'KeyRefreshStarted', data: { keyId, walletId, epoch, attempt } }]
      }
      case 'CompleteKeyRefresh': {
        const { epoch, attempt, confirmations, publicKey, publicPackage } = command
        const { attemptsBefore } = requireRefresh(key, epoch)
        if (attempt !== key.refreshAttempts || attempt === attemptsBefore)
          throw new DomainError('key_not_refreshing', `attempt ${attempt} is not under way`)
        requireEveryParty(key, confirmations)
        if (publicKey !== key.publicKey) throw new DomainError('parties_invalid', 'the new shares are of another key')
        return [{ type: 'KeyRefreshCompleted', data: { keyId, walletId, epoch, attempt, publicPackage } }]
      }
      case 'FailKeyRefresh': {
        const { epoch, code, culprits } = command
        requireRefresh(key, epoch)
        return [{ type: 'KeyRefreshFailed', data: { keyId, walletId, epoch, code, culprits } }]
      }
      case 'RequestShareRecovery': {
        const { partyId, authorisation } = command
        requireAtRest(key)
        if (!key.parties.includes(partyId)) throw new DomainError('party_not_a_holder', 'the party holds no share of the key', '/party')
        if (key.parties.length - 1 < key.threshold)
          throw new DomainError('too_few_holders', `${key.threshold} others would be needed to recover a share`)
        return [{ type: 'ShareRecoveryRequested', data: { keyId, walletId, partyId, authorisation } }]
      }
      case 'StartShareRecovery': {
        const { attempt, partyId, helpers } = command
        requireRecovery(key, partyId)
        if (attempt !== key.recoveryAttempts + 1)
          throw new DomainError('key_not_recovering', `attempt ${key.recoveryAttempts} was the last one`)
        requireHelpers(key, partyId, helpers)
        return [{ type: 'ShareRecoveryStarted', data: { keyId, walletId, attempt, partyId, helpers } }]
      }
      case 'CompleteShareRecovery': {
        const { attempt, partyId } = command
        const { attemptsBefore } = requireRecovery(key, partyId)
        if (attempt !== key.recoveryAttempts || attempt === attemptsBefore)
          throw new DomainError('key_not_recovering', `attempt ${attempt} is not under way`)
        return [{ type: 'ShareRecovered', data: { keyId, walletId, attempt, partyId, epoch: key.epoch } }]
      }
      case 'FailShareRecovery': {
        const { partyId, code, culprits } = command
        requireRecovery(key, partyId)
        return [{ type: 'ShareRecoveryFailed', data: { keyId, walletId, partyId, code, culprits } }]
      }
      case 'RevokeKey':
        if (key.status === 'revoked') return []
        requireActiveKey(key)
        return [{ type: 'KeyRevoked', data: { keyId, walletId, reason: command.reason, authorisation: command.authorisation } }]
      case 'CountPresignatures': {
        const { generated, consumed, expired } = command
        return [{ type: 'PresignaturesCounted', data: { keyId, walletId, generated, consumed, expired } }]
      }
    }
  },

  evolve(state, event) {
    if (event.type === 'KeyGenerationRequested') return { ...REQUESTED, ...event.data }
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
      case 'KeyRefreshRequested': {
        const { authorisation } = event.data
        return { ...state, status: 'refreshing', refresh: { authorisation, attemptsBefore: state.refreshAttempts } }
      }
      case 'KeyRefreshStarted':
        return { ...state, refreshAttempts: event.data.attempt }
      case 'KeyRefreshCompleted': {
        const { epoch, attempt, publicPackage } = event.data
        return { ...state, status: 'active', epoch, attempt, publicPackage, refresh: null }
      }
      case 'KeyRefreshFailed':
        return { ...state, status: 'active', refresh: null }
      case 'ShareRecoveryRequested': {
        const { partyId, authorisation } = event.data
        return { ...state, recovery: { partyId, authorisation, attemptsBefore: state.recoveryAttempts } }
      }
      case 'ShareRecoveryStarted':
        return { ...state, recoveryAttempts: event.data.attempt }
      case 'ShareRecovered':
      case 'ShareRecoveryFailed':
        return { ...state, recovery: null }
      case 'KeyRevoked':
        return { ...state, status: 'revoked', refresh: null, recovery: null }
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

export type ActiveKey = ExistingKeyShare & { publicKey: string; publicPackage: string }

/** A key that can sign, which it goes on doing with the shares in force while it is refreshed. @throws DomainError `key_not_found`, `key_not_active` */
export function requireActiveKey(state: KeyShare): ActiveKey {
  const key = requireKey(state)
  const isActive = key.status === 'active' || key.status === 'refreshing'
  if (!isActive || key.publicKey === null || key.publicPackage === null) throw new DomainError('key_not_active', `the key is ${key.status}`)
  return { ...key, publicKey: key.publicKey, publicPackage: key.publicPackage }
}

function checkRequest({ scheme, threshold, parties }: { scheme: Scheme; threshold: number; parties: readonly string[] }): void {
  if (!(SCHEMES as readonly string[]).includes(scheme))
    throw new DomainError('scheme_unknown', `scheme must be one of ${SCHEMES.join(', ')}`, '/scheme')
  if (parties.length < 1 || parties.length > MAX_PARTIES)
    throw new DomainError('parties_invalid', `a key is shared by 1 to ${MAX_PARTIES} parties`, '/parties')
  if (new Set(parties).size !== parties.length) throw new DomainError('parties_invalid', 'a party is named twice', '/parties')
  const least = leastThreshold(scheme)
  if (!Number.isInteger(threshold) || threshold < least || threshold > parties.length)
    throw new DomainError(
      'threshold_invalid',
      `threshold must be between ${least} and the number of parties (${parties.length})`,
      '/threshold',
    )
}

function requireUnfinished(key: ExistingKeyShare): void {
  if (key.status !== 'pending' && key.status !== 'generating') throw new DomainError('key_not_pending', `the key is ${key.status}`)
}

function requireAttempt(key: ExistingKeyShare, attempt: number): void {
  if (key.status !== 'generating' || key.attempt !== attempt)
    throw new DomainError('key_not_pending', `attempt ${attempt} is not under way: the key is ${key.status}, attempt ${key.attempt}`)
}

/** Shares are made anew or given back one at a time, or it would not be known which are in force. */
function requireAtRest(key: ExistingKeyShare): void {
  requireActiveKey(key)
  if (key.refresh) throw new DomainError('refresh_under_way', 'the key is being refreshed')
  if (key.recovery) throw new DomainError('recovery_under_way', `the share of ${key.recovery.partyId} is being recovered`)
}

function requireRefresh(key: ExistingKeyShare, epoch: number) {
  if (!key.refresh || epoch !== key.epoch + 1)
    throw new DomainError('key_not_refreshing', `no refresh to epoch ${epoch} is under way: the key is ${key.status}, epoch ${key.epoch}`)
  return key.refresh
}

function requireRecovery(key: ExistingKeyShare, partyId: string) {
  if (key.recovery?.partyId !== partyId) throw new DomainError('key_not_recovering', 'no recovery of this share is under way')
  return key.recovery
}

function requireHelpers({ parties, threshold }: ExistingKeyShare, lost: string, helpers: readonly string[]): void {
  const others = parties.filter((id) => id !== lost && helpers.includes(id))
  if (others.length !== helpers.length || helpers.length !== threshold)
    throw new DomainError('parties_invalid', `a share is recovered by ${threshold} other holders`)
}

/** The same public package must have been confirmed by all, or some of them could not sign later. */
function requireEveryParty(key: ExistingKeyShare, confirmations: readonly { partyId: string; packageDigest: string }[]): void {
  const confirmed = new Set(confirmations.map(({ partyId }) => partyId))
  const packages = new Set(confirmations.map(({ packageDigest }) => packageDigest))
  if (confirmations.length !== key.parties.length || packages.size !== 1 || !key.parties.every((id) => confirmed.has(id)))
    throw new DomainError('parties_invalid', 'not every party has confirmed the same public package')
}

import type { ClientKey } from '../authorisation/client-key.ts'
import type { Decider } from '../decider.ts'
import { DomainError } from '../domain-error.ts'
import type { Authorisation } from '../key-share/events.ts'
import type { Personal } from '../personal-data/sealed.ts'
import type { ErasureReason, WalletEvent } from './events.ts'
import { checkClientKeys, checkPolicy, type WalletPolicy } from './policy.ts'
import type { DepositCommand, TransferCommand } from './transfers/commands.ts'
import { decideTransfer } from './transfers/decide-transfer.ts'
import { decideDeposit } from './transfers/deposits.ts'
import { evolveHoldings } from './transfers/evolve-holdings.ts'
import { type Holdings, NO_HOLDINGS } from './transfers/holdings.ts'

export type Wallet =
  | { status: 'absent' }
  | ({
      status: 'open' | 'frozen'
      walletId: string
      tenant: string
      name: Personal<string>
      clientKeys: readonly ClientKey[]
      policy: WalletPolicy
      /** Counts its policies, the first being the one it was created with. */
      policyVersion: number
      /** The newest KEYS_KEPT of its keys, the newest last: a state must not grow for ever with its history. */
      keyIds: readonly string[]
      /** What its policy was changed by, `kid/jti`, the newest INTENTS_KEPT, the newest last: parties take none of them for a second change. */
      policyIntents: readonly string[]
    } & Holdings)

/** A wallet may have more keys; an older one would be attached again if it were asked for again. */
const KEYS_KEPT = 1_000
/** More than a day of changes takes, after which an intent or approval is too old anyway. */
const INTENTS_KEPT = 500

export type ExistingWallet = Exclude<Wallet, { status: 'absent' }>

export type WalletCommand =
  | {
      type: 'CreateWallet'
      walletId: string
      tenant: string
      name: string
      clientKeys: readonly ClientKey[]
      policy: WalletPolicy
    }
  | { type: 'AttachKey'; keyId: string; scheme: string; publicKey: string }
  | {
      type: 'ChangePolicy'
      policy: WalletPolicy
      /** As they are when left out. */
      clientKeys?: readonly ClientKey[]
      authorisation: Authorisation
      approvals: readonly string[]
      /** Those that allow it, verified: `kid/jti`. */
      intents: readonly string[]
    }
  | { type: 'Freeze'; reason: string }
  | { type: 'Unfreeze'; reason: string }
  /** Under the data key `keysBefore` nothing of what is to be erased is sealed, only under those before. */
  | { type: 'ErasePersonalData'; keysBefore: number; reason: ErasureReason }
  | TransferCommand
  | DepositCommand

export const wallet: Decider<Wallet, WalletCommand, WalletEvent> = {
  stateVersion: 6,
  initial: { status: 'absent' },

  decide(state, command) {
    if (command.type === 'CreateWallet') {
      if (state.status !== 'absent') throw new DomainError('wallet_exists', 'the wallet exists already')
      checkPolicy(command.policy)
      const { type: _, ...data } = command
      return [{ type: 'WalletCreated', data }]
    }
    const existing = requireWallet(state)
    const { walletId } = existing
    switch (command.type) {
      case 'AttachKey': {
        if (existing.keyIds.includes(command.keyId)) return []
        const { keyId, scheme, publicKey } = command
        return [{ type: 'KeyAttached', data: { walletId, keyId, scheme, publicKey } }]
      }
      case 'ChangePolicy': {
        const { type: _, ...change } = command
        checkPolicy(change.policy)
        if (change.clientKeys) checkClientKeys(change.clientKeys)
        if (change.intents.some((intent) => existing.policyIntents.includes(intent)))
          throw new DomainError('intent_reused', 'the policy was changed by this intent, or this approval, before')
        return [{ type: 'PolicyChanged', data: { walletId, version: existing.policyVersion + 1, ...change } }]
      }
      case 'Freeze':
        if (existing.status === 'frozen') throw new DomainError('wallet_frozen', 'the wallet is frozen already')
        return [{ type: 'WalletFrozen', data: { walletId, reason: command.reason } }]
      case 'Unfreeze':
        if (existing.status === 'open') throw new DomainError('wallet_not_frozen', 'the wallet is not frozen')
        return [{ type: 'WalletUnfrozen', data: { walletId, reason: command.reason } }]
      case 'ErasePersonalData': {
        requireErasable(existing)
        const { keysBefore, reason } = command
        return [{ type: 'PersonalDataErased', data: { walletId, keysBefore, reason } }]
      }
      case 'DetectDeposit':
      case 'CreditDeposit':
      case 'RevertDeposit':
        return decideDeposit(walletId, existing.deposits, command)
      default:
        return decideTransfer(existing, command)
    }
  },

  evolve(state, event) {
    if (event.type === 'WalletCreated')
      return { status: 'open', keyIds: [], policyVersion: 1, policyIntents: [], ...NO_HOLDINGS, ...event.data }
    if (state.status === 'absent') return state
    switch (event.type) {
      case 'KeyAttached':
        return { ...state, keyIds: [...state.keyIds.slice(1 - KEYS_KEPT), event.data.keyId] }
      case 'PolicyChanged':
        return {
          ...state,
          policy: event.data.policy,
          clientKeys: event.data.clientKeys ?? state.clientKeys,
          policyVersion: state.policyVersion + 1,
          policyIntents: [...state.policyIntents, ...(event.data.intents ?? [])].slice(-INTENTS_KEPT),
        }
      case 'WalletFrozen':
        return { ...state, status: 'frozen' }
      case 'WalletUnfrozen':
        return { ...state, status: 'open' }
      case 'PersonalDataErased':
        return state
      default:
        return evolveHoldings(state, event)
    }
  },
}

/** @throws DomainError `wallet_not_found` */
export function requireWallet(state: Wallet): ExistingWallet {
  if (state.status === 'absent') throw new DomainError('wallet_not_found', 'no such wallet')
  return state
}

/** A wallet that may make keys and signatures. @throws DomainError `wallet_not_found`, `wallet_frozen` */
export function requireOpenWallet(state: Wallet): ExistingWallet {
  const existing = requireWallet(state)
  if (existing.status === 'frozen') throw new DomainError('wallet_frozen', 'the wallet is frozen')
  return existing
}

/** What parties are still to be shown cannot be erased. @throws DomainError `transfers_under_way` */
export function requireErasable({ transfers }: ExistingWallet): void {
  const underWay = Object.keys(transfers).length
  if (underWay > 0) throw new DomainError('transfers_under_way', `${underWay} transfers of the wallet have not ended`)
}

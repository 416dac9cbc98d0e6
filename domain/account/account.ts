import type { Decider } from '../decider.ts'
import { DomainError } from '../domain-error.ts'
import type { AccountEvent, OpenedAccount } from './events.ts'

export type Account = { status: 'absent' } | ExistingAccount
export type ExistingAccount = OpenedAccount & { status: 'open' }

export type AccountCommand = { type: 'OpenAccount' } & OpenedAccount

/**
 * An account has a stream of its own, so that a wallet with very many loads as fast as one with none, and opening them is a matter of each alone. Its id
 * follows from wallet, key, chain and path: there cannot be two.
 */
export const account: Decider<Account, AccountCommand, AccountEvent> = {
  stateVersion: 1,
  initial: { status: 'absent' },

  decide(state, command) {
    if (state.status === 'open') return []
    const { type: _, ...data } = command
    return [{ type: 'AccountOpened', data }]
  },

  evolve: (_, event) => ({ status: 'open', ...event.data }),
}

/** @throws DomainError `account_not_found` */
export function requireAccount(state: Account): ExistingAccount {
  if (state.status === 'absent') throw new DomainError('account_not_found', 'no such account')
  return state
}

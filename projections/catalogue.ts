import { accounts } from './accounts.ts'
import { balances } from './balances.ts'
import { keys } from './keys.ts'
import { partyStatistics } from './party-statistics.ts'
import type { Projection } from './projection.ts'
import { signingSessions } from './signing-sessions.ts'
import { transfers } from './transfers.ts'
import { walletHistory } from './wallet-history.ts'
import { wallets } from './wallets.ts'
import { webhooks } from './webhooks.ts'

/** Every read model that the workers keep. */
export const PROJECTIONS: readonly Projection[] = [
  wallets,
  accounts,
  keys,
  signingSessions,
  transfers,
  balances,
  walletHistory,
  partyStatistics,
  webhooks,
]

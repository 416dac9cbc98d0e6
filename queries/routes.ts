import type { Chains } from '../domain/ports/chain.ts'
import type { Coordinators } from '../domain/ports/coordinators.ts'
import type { EventLog } from '../domain/ports/event-log.ts'
import type { PartyDirectory } from '../domain/ports/party-directory.ts'
import type { Route } from '../http/route.ts'
import { getAccount } from './get-account.ts'
import { getKey } from './get-key.ts'
import { getPublicKey } from './get-public-key.ts'
import { getSigningSession } from './get-signing-session.ts'
import { getTransfer } from './get-transfer.ts'
import { getWallet } from './get-wallet.ts'
import { auditWallet } from './history/audit-wallet.ts'
import { listEvents } from './history/list-events.ts'
import { listChains } from './list-chains.ts'
import { listParties } from './list-parties.ts'
import { listWalletAccounts } from './list-wallet-accounts.ts'
import { listWalletBalances } from './list-wallet-balances.ts'
import { listWalletKeys } from './list-wallet-keys.ts'
import { listWalletTransfers } from './list-wallet-transfers.ts'
import type { OpenPersonal } from './personal-data.ts'
import type { ReadModels } from './read-model.ts'
import { walletHistory } from './wallet-history.ts'

/** Every query of the read side, as a route. `log` gives events in their current versions, `stored` as they are stored; `keys` open what is about people. */
export const queryRoutes = (
  models: ReadModels,
  parties: PartyDirectory,
  coordinators: Pick<Coordinators, 'reports'>,
  chains: Chains,
  log: EventLog,
  stored: EventLog,
  keys: OpenPersonal,
): Route[] => [
  getWallet(models, { log }, keys),
  walletHistory(models, keys),
  listWalletKeys(models),
  listWalletAccounts(models),
  getAccount(models),
  listChains(chains),
  getKey(models),
  getPublicKey(models),
  getSigningSession(models),
  getTransfer(models, keys),
  listWalletTransfers(models, keys),
  listWalletBalances(models, { log }),
  auditWallet(models, stored, keys),
  listEvents(stored),
  listParties(models, parties, coordinators),
]

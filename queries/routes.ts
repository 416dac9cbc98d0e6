import type { Chains } from '../domain/ports/chain.ts'
import type { Coordinators } from '../domain/ports/coordinators.ts'
import type { Documents } from '../domain/ports/documents.ts'
import type { EventLog } from '../domain/ports/event-log.ts'
import type { PartyDirectory } from '../domain/ports/party-directory.ts'
import type { Route } from '../http/route.ts'
import { getAccount } from './get-account.ts'
import { getKey } from './get-key.ts'
import { getPolicy } from './get-policy.ts'
import { getPublicKey } from './get-public-key.ts'
import { getSigningSession } from './get-signing-session.ts'
import { getTransfer, getWalletTransfer } from './get-transfer.ts'
import { getTransferPsbt } from './get-transfer-psbt.ts'
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

/** `log` gives events in their current versions, `stored` as they are stored; `documents` are those of its tree; `keys` open what is about people. */
export type QuerySources = {
  models: ReadModels
  parties: PartyDirectory
  coordinators: Pick<Coordinators, 'reports'>
  chains: Chains
  log: EventLog
  stored: EventLog
  documents: Pick<Documents, 'get'>
  keys: OpenPersonal
}

/** Every query of the read side, as a route. */
export const queryRoutes = ({ models, parties, coordinators, chains, log, stored, documents, keys }: QuerySources): Route[] => [
  getWallet(models, { log }, keys),
  getPolicy(models, { log }),
  walletHistory(models, keys),
  listWalletKeys(models),
  listWalletAccounts(models),
  getAccount(models),
  listChains(chains),
  getKey(models),
  getPublicKey(models),
  getSigningSession(models),
  getTransfer(models, keys),
  getWalletTransfer(models, keys),
  getTransferPsbt(models, chains),
  listWalletTransfers(models, keys),
  listWalletBalances(models, { log }),
  auditWallet(models, stored, keys),
  listEvents({ log: stored, documents }),
  listParties(models, parties, coordinators),
]

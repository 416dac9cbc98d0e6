import type { Coordinators } from '../domain/ports/coordinators.ts'
import type { PartyDirectory } from '../domain/ports/party-directory.ts'
import type { Route } from '../http/route.ts'
import { getKey } from './get-key.ts'
import { getPublicKey } from './get-public-key.ts'
import { getSigningSession } from './get-signing-session.ts'
import { getWallet } from './get-wallet.ts'
import { listParties } from './list-parties.ts'
import { listWalletKeys } from './list-wallet-keys.ts'
import type { ReadModels } from './read-model.ts'
import { walletHistory } from './wallet-history.ts'

/** Every query of the read side, as a route. */
export const queryRoutes = (models: ReadModels, parties: PartyDirectory, coordinators: Pick<Coordinators, 'reports'>): Route[] => [
  getWallet(models),
  walletHistory(models),
  listWalletKeys(models),
  getKey(models),
  getPublicKey(models),
  getSigningSession(models),
  listParties(models, parties, coordinators),
]

import type { Route } from '../http/route.ts'
import { accelerateTransfer } from './accelerate-transfer.ts'
import { approveTransfer } from './approve-transfer.ts'
import { cancelSession } from './cancel-session.ts'
import { cancelTransfer } from './cancel-transfer.ts'
import { changePolicy } from './change-policy.ts'
import { createWallet } from './create-wallet.ts'
import { decideApproval } from './decide-approval.ts'
import type { CommandDependencies } from './dependencies.ts'
import { erasePersonalData } from './erase-personal-data.ts'
import { forceCloseCircuit } from './force-close-circuit.ts'
import { freezeWallet, unfreezeWallet } from './freeze-wallet.ts'
import { generateKey } from './generate-key.ts'
import { openAccount } from './open-account.ts'
import { recoverShare } from './recover-share.ts'
import { refreshKey } from './refresh-key.ts'
import { requestSignature } from './request-signature.ts'
import { requestTransfer } from './request-transfer.ts'
import { revokeKey } from './revoke-key.ts'

const COMMANDS = [
  createWallet,
  changePolicy,
  freezeWallet,
  unfreezeWallet,
  erasePersonalData,
  generateKey,
  openAccount,
  refreshKey,
  recoverShare,
  revokeKey,
  requestSignature,
  decideApproval,
  cancelSession,
  requestTransfer,
  approveTransfer,
  cancelTransfer,
  accelerateTransfer,
  forceCloseCircuit,
]

/** Every command of the write side, as a route. */
export function commandRoutes(dependencies: CommandDependencies): Route[] {
  return COMMANDS.map((command) => command(dependencies))
}

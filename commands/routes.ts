import { KEY_SHARE_STREAMS } from '../domain/key-share/events.ts'
import { WALLET_STREAMS } from '../domain/wallet/events.ts'
import type { Route } from '../http/route.ts'
import { cancelSession } from './cancel-session.ts'
import { changePolicy } from './change-policy.ts'
import { createWallet } from './create-wallet.ts'
import { decideApproval } from './decide-approval.ts'
import type { CommandDependencies } from './dependencies.ts'
import { freezeWallet, unfreezeWallet } from './freeze-wallet.ts'
import { generateKey } from './generate-key.ts'
import { rememberStreams } from './remembered-streams.ts'
import { requestSignature } from './request-signature.ts'
import { revokeKey } from './revoke-key.ts'

const COMMANDS = [
  createWallet,
  changePolicy,
  freezeWallet,
  unfreezeWallet,
  generateKey,
  revokeKey,
  requestSignature,
  decideApproval,
  cancelSession,
]

/** Every command of the write side, as a route. */
export function commandRoutes({ log, parties }: CommandDependencies): Route[] {
  const dependencies = { parties, log: rememberStreams(log, { prefixes: [WALLET_STREAMS, KEY_SHARE_STREAMS] }) }
  return COMMANDS.map((command) => command(dependencies))
}

import { fold } from '../../../decider.ts'
import type { WalletEvent } from '../../events.ts'
import type { WalletPolicy } from '../../policy.ts'
import { type ExistingWallet, requireWallet, type WalletCommand, wallet } from '../../wallet.ts'
import type { RequestTransfer } from '../commands.ts'

export const ETHER = 'eip155:1/slip44:60'
export const USDC = 'eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'
export const START = '2026-01-01T00:00:00.000Z'
export const after = (seconds: number): string => new Date(Date.parse(START) + seconds * 1000).toISOString()

export const authorisation = { method: 'POST', path: '/', body: '{}', intent: null }
const key = (kid: string) => ({ kid, kty: 'OKP', crv: 'Ed25519', x: kid }) as const
export const approvers = (required: number, ...kids: string[]) => ({ required, approvers: kids.map(key) })

/** A wallet and what has happened to it, one command after another. */
export type Scenario = {
  /** The events that come of it. */
  do(command: WalletCommand): readonly WalletEvent[]
  state(): ExistingWallet
  events(): readonly WalletEvent[]
}

export function scenario(policy: WalletPolicy = { rawDigests: false }): Scenario {
  const events: WalletEvent[] = []
  let state = fold(wallet, events)
  const side: Scenario = {
    do(command) {
      const decided = wallet.decide(state, command)
      events.push(...decided)
      state = decided.reduce(wallet.evolve, state)
      return decided
    },
    state: () => requireWallet(state),
    events: () => events,
  }
  side.do({ type: 'CreateWallet', walletId: 'w', tenant: 'acme', name: 'n', clientKeys: [key('client')], policy })
  return side
}

/** A deposit that is credited. */
export function fund(
  side: Scenario,
  amount: bigint,
  { accountId = 'a', asset = ETHER, depositId = `d${side.events().length}` } = {},
): void {
  side.do(detection(depositId, amount, { accountId, asset }))
  side.do({ type: 'CreditDeposit', depositId, confirmations: 12 })
}

export const detection = (depositId: string, amount: bigint, { accountId = 'a', asset = ETHER, height = 10 } = {}): WalletCommand => ({
  type: 'DetectDeposit',
  accountId,
  depositId,
  chain: 'eip155:1',
  hash: null,
  from: null,
  block: { height: String(height), hash: `b${height}` },
  source: 'transaction',
  asset,
  amount: String(amount),
})

const ADDRESS = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'

/** What a transaction of the accounts here uses up. */
export const nonceConflict = (nonce: string | number): string => `nonce:${ADDRESS}:${nonce}`

export const request = (transferId: string, changes: Partial<RequestTransfer> = {}): RequestTransfer => ({
  type: 'RequestTransfer',
  transferId,
  accountId: 'a',
  keyId: 'k',
  scheme: 'dkls23-secp256k1',
  chain: 'eip155:1',
  path: 'm',
  publicKey: '02',
  address: ADDRESS,
  asset: ETHER,
  to: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
  amount: '100',
  fee: 'normal',
  maxFee: null,
  memo: null,
  feeAsset: ETHER,
  quotedFee: '10',
  usdCents: null,
  holders: 3,
  now: START,
  authorisation,
  ...changes,
})

/** The transaction of a version, built. */
export const build = (
  transferId: string,
  version: number,
  changes: Partial<Extract<WalletCommand, { type: 'BuildTransfer' }>> = {},
): WalletCommand => ({
  type: 'BuildTransfer',
  transferId,
  now: START,
  as: 'transfer',
  unsigned: 'AA==',
  hashOfUnsigned: `${transferId}/${version}`,
  fee: '10',
  conflicts: [],
  validity: null,
  sessionIds: [`${transferId}/${version}/0`],
  replaces: version === 1 ? null : version - 1,
  ...changes,
})

/** As far as a transaction of an account that counts them, signed and taken by a node; its nonce is handed back. */
export function send(side: Scenario, transferId: string, observed = '0'): string {
  side.do({ type: 'AllocateNonce', transferId, observed, now: START })
  const nonce = side.state().transfers[transferId]!.nonce!
  side.do(build(transferId, 1, { conflicts: [nonceConflict(nonce)] }))
  side.do({ type: 'SignTransfer', transferId, version: 1, raw: 'AB==', hash: `0x${transferId}1` })
  side.do({ type: 'BroadcastTransfer', transferId, version: 1 })
  return nonce
}

export const mined = (
  type: 'ConfirmTransfer' | 'FinalizeTransfer',
  transferId: string,
  { version = 1, height = 20, outcome = 'succeeded' as 'succeeded' | 'reverted', isConfirmed = false, feePaid = '7' } = {},
): WalletCommand => {
  const at = { transferId, version, block: { height: String(height), hash: `b${height}` }, outcome }
  return type === 'ConfirmTransfer' ? { type, ...at, confirmations: 1, isConfirmed } : { type, ...at, feePaid }
}

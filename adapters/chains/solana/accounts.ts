import { base58 } from '@scure/base'
import { ChainFailure } from '../../../domain/ports/chain-node.ts'
import type { Cluster, Commitment } from './cluster.ts'
import { NONCE_ACCOUNT_BYTES, SYSTEM, TOKEN, TOKEN_ACCOUNT_BYTES, tokenAccountOf } from './programs.ts'

/** What the accounts of programs hold, by the layouts of the System and the Token program. */

const MINT_BYTES = 82
const OPEN = 1

/** Digits after the point of a token. @throws ChainFailure `asset_unknown` */
export async function decimalsOf(cluster: Cluster, mint: string): Promise<number> {
  const account = await cluster.account(mint, 'confirmed')
  if (account?.owner !== TOKEN || account.data.length !== MINT_BYTES || account.data[45] !== OPEN)
    throw new ChainFailure('asset_unknown', 'there is no such token, or one of a program that is not supported', true)
  return account.data[44]!
}

/** The account that an owner's tokens are taken from. @throws ChainFailure `account_closed` */
export async function sourceOf(cluster: Cluster, owner: string, mint: string): Promise<string> {
  const source = tokenAccountOf(owner, mint)
  const account = await cluster.account(source, 'confirmed')
  if (account?.owner !== TOKEN || account.data.length !== TOKEN_ACCOUNT_BYTES || account.data[108] !== OPEN)
    throw new ChainFailure('account_closed', 'the sender has no open account for these tokens', true)
  return source
}

/** Tokens in an account of them. */
export function tokensIn(data: Uint8Array): bigint {
  return data.length === TOKEN_ACCOUNT_BYTES ? new DataView(data.buffer, data.byteOffset).getBigUint64(64, true) : 0n
}

/** The durable nonce in an account; undefined unless it is in these hands. */
export async function nonceIn(cluster: Cluster, account: string, authority: string, commitment: Commitment): Promise<string | undefined> {
  const { owner, data } = (await cluster.account(account, commitment)) ?? {}
  if (owner !== SYSTEM || data?.length !== NONCE_ACCOUNT_BYTES) return undefined
  const isOpen = new DataView(data.buffer, data.byteOffset).getUint32(4, true) === OPEN
  return isOpen && base58.encode(data.subarray(8, 40)) === authority ? base58.encode(data.subarray(40, 72)) : undefined
}

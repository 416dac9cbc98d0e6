/** The bench of transfers on a cluster of Solana, asked through a proxy. */
import { ed25519 } from '@noble/curves/ed25519.js'
import type { ExecutionContext } from 'ava'
import { addressOf } from '../../adapters/chains/solana/address.ts'
import { type FaultProxy, startFaultProxy } from '../chains/fault-proxy.ts'
import { type SolanaNode, startSolana } from '../chains/solana-node.ts'
import { type ChainBench, startChainBench, type WholeKey } from './bench.ts'

export const CHAIN = 'solana:localnet'
export const SOL = 1_000_000_000n
/** Slots in which a deposit is found, and is deep enough; in which a block's hash is too old; in which a block is final. */
const CREDITED = 20
export const LIFETIME = 150
export const FINAL = 40

export const addressAt = (seed: number) => addressOf(ed25519.getPublicKey(new Uint8Array(32).fill(seed)))
export const RECEIVER = addressAt(2)
export const MINT = addressAt(3)
export const TOKENS = `${CHAIN}/token:${MINT}`

export type Side = { bench: ChainBench; cluster: SolanaNode; proxy: FaultProxy }

/** An account with ten coins and a thousand tokens; `nonces`: with so many durable nonces. The node is asked through a proxy. */
export async function startSolanaBench(
  t: ExecutionContext,
  { nonces = 0 }: { nonces?: number } = {},
): Promise<Side & { coordinator: ReturnType<ChainBench['coordinate']> }> {
  const cluster = await startSolana()
  const proxy = await startFaultProxy(cluster.url)
  t.teardown(async () => {
    await proxy.close()
    await cluster.close()
  })
  const secret = ed25519.utils.randomSecretKey()
  const sign = (message: Uint8Array) => ({ signature: ed25519.sign(message, secret), recoveryId: null })
  const key: WholeKey = { scheme: 'frost-ed25519', publicKey: ed25519.getPublicKey(secret), sign }
  const address = addressOf(key.publicKey)
  const nonceAccounts = { [address]: Array.from({ length: nonces }, () => cluster.openNonceAccount(address)) }
  cluster.advance(LIFETIME)
  const pay = async (to: string, lamports: bigint) => {
    cluster.pay(to, lamports)
    cluster.advance(CREDITED)
  }
  const rpc = { retries: 0, breaker: { failureRate: 0.99, minimumCalls: 10_000 } }
  const settings = { confirmations: 2, finality: 32, pollMs: 100, rpc, extra: { nonceAccounts } }
  const bench = await startChainBench(t, { chain: CHAIN, endpoints: [proxy.url], settings, key, pay, receiver: RECEIVER })
  const coordinator = bench.coordinate()
  await bench.watched()
  cluster.mint(MINT, 6, cluster.stranger, 1_000_000n)
  cluster.payTokens(MINT, address, 1_000n)
  await bench.fund(10n * SOL)
  await bench.until(({ deposits }) => deposits.pending.length === 0)
  return { bench, cluster, proxy, coordinator }
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it has not come to that')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Once it is in a block, which is final then. */
export async function finalized({ bench, cluster }: Side, transferId: string): Promise<void> {
  await bench.until(({ transfers }) => transfers[transferId] === undefined || transfers[transferId].mined !== null)
  cluster.advance(FINAL)
  await bench.reaches(transferId, 'finalized')
}

export const coinsOf = ({ cluster }: Side, address: string): bigint => cluster.svm.getBalance(address as never) ?? 0n

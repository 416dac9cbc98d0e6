/** The bench on a regtest node of Bitcoin, which may be that of other benches before. */
import type { ExecutionContext } from 'ava'
import { NETWORKS } from '../../adapters/chains/bitcoin/networks.ts'
import { spenderOf } from '../../adapters/chains/bitcoin/testing/spender.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { positionOf } from '../../domain/wallet/transfers/funds.ts'
import type { BitcoinNode } from '../chains/bitcoin-node.ts'
import { type ChainBench, startChainBench } from './bench.ts'

const REGTEST = '0f9188f13cb7b2c71f2a335e3a4fc328'
export const CONFIRMATIONS = 2
export const FINALITY = 4

export type BitcoinBench = ChainBench & {
  /** Coins of these amounts, credited; the txids of what has paid them. */
  coins(...satoshi: number[]): Promise<string[]>
  /** What somebody else has been paid in all. */
  received(): Promise<bigint>
}

export async function startBitcoinBench(
  t: ExecutionContext,
  bitcoind: BitcoinNode,
  { scheme = 'dkls23-secp256k1', settings = {} }: { scheme?: Scheme; settings?: object } = {},
): Promise<BitcoinBench> {
  const [account, stranger] = [spenderOf(NETWORKS[REGTEST]!, scheme), spenderOf(NETWORKS[REGTEST]!, 'dkls23-secp256k1')]
  const pay = (address: string, amount: bigint) => bitcoind.pay(address, Number(amount))
  const bench = await startChainBench(t, {
    chain: `bip122:${REGTEST}`,
    endpoints: [bitcoind.url],
    settings: { confirmations: CONFIRMATIONS, finality: FINALITY, ...settings },
    key: { scheme, publicKey: account.sender.publicKey, sign: account.sign },
    pay,
    receiver: stranger.sender.address,
  })
  const { chain, node, accountId } = bench
  return {
    ...bench,
    async coins(...satoshi) {
      const before = await bench.available()
      const txids: string[] = []
      for (const amount of satoshi) txids.push(await bitcoind.pay(bench.address, amount))
      const all = before + BigInt(satoshi.reduce((sum, each) => sum + each, 0))
      await bitcoind.mine(1)
      await bench.until(({ deposits }) => deposits.pending.length === satoshi.length)
      await bitcoind.mine(CONFIRMATIONS - 1)
      await bench.until(({ funds }) => positionOf(funds, accountId, chain.nativeAsset).settled === String(all))
      return txids
    },
    received: async () => (await node.balance(stranger.sender.address, chain.nativeAsset)).amount,
  }
}

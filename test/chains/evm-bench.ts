import { openChainNodes } from '../../adapters/chains/nodes.ts'
import { openChains } from '../../adapters/chains/registry.ts'
import type { Chain } from '../../domain/ports/chain.ts'
import type { BuildOptions, ChainNode, SentTransaction, TransactionStatus, WantedTransaction } from '../../domain/ports/chain-node.ts'
import type { TransactionCodec } from '../../domain/ports/transaction-codec.ts'
import type { Anvil } from './anvil.ts'
import { chainsFile } from './chains-file.ts'
import { type EvmAccount, evmAccount } from './evm-account.ts'

/** What a test has to do with a chain of anvil, seen through the adapter. */
export type EvmBench = {
  readonly anvil: Anvil
  readonly chain: Chain
  readonly node: ChainNode
  readonly codec: TransactionCodec
  /** A new account with ten ether. */
  richAccount(): Promise<EvmAccount>
  /** Builds and signs, with the next nonce of the account unless the options say otherwise. */
  make(account: EvmAccount, wanted: Partial<WantedTransaction>, options?: Partial<BuildOptions>): Promise<Made>
  /** What there is to say of a transaction once it is in a block. */
  included(sent: SentTransaction): Promise<Included>
  close(): Promise<void>
}

type Included = Extract<TransactionStatus, { state: 'included' }>

export type Made = { readonly unsigned: Uint8Array; readonly sent: SentTransaction }

const INCLUDED_WITHIN_MS = 30_000
const POLL_MS = 5

export const ETHER = 10n ** 18n
/** Somebody who has nothing to do with it. */
export const STRANGER = '0x00000000000000000000000000000000DeaDBeef'

/** @param settings of the chain in the file, beside its endpoints */
export async function evmBench(anvil: Anvil, settings: object = {}, endpoints: readonly string[] = [anvil.url]): Promise<EvmBench> {
  const id = 'eip155:31337'
  const file = await chainsFile({ [id]: { endpoints, ...settings } })
  const [chain, node] = [(await openChains(file.path)).get(id)!, (await openChainNodes(file.path)).get(id)!]
  await file.remove()
  const codec = await chain.transactions()
  return {
    anvil,
    chain,
    node,
    codec,
    async richAccount() {
      const account = evmAccount()
      await anvil.fund(account.address, 10n * ETHER)
      return account
    },
    async make(account, wanted, options = {}) {
      const { unsigned } = await node.build(
        { sender: account.sender, asset: chain.nativeAsset, to: STRANGER, amount: 1n, fee: 'normal', maxFee: null, memo: null, ...wanted },
        { nonce: options.nonce ?? (await node.nextNonce(account.address)), taken: [], replaces: null, ...options },
      )
      return { unsigned, sent: account.sign(codec, unsigned) }
    },
    async included(sent) {
      const deadline = Date.now() + INCLUDED_WITHIN_MS
      while (Date.now() < deadline) {
        const status = await node.status(sent)
        if (status.state === 'included') return status
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
      throw new Error(`${sent.hash} is in no block`)
    },
    close: () => node.close(),
  }
}

import { bytesToHex } from '@noble/hashes/utils.js'
import { withChecksum } from '../../../domain/ethereum/address.ts'
import type { Chain } from '../../../domain/ports/chain.ts'
import type { Deposit, Deposits } from '../../../domain/ports/chain-node.ts'
import type { Call } from '../rpc/endpoint.ts'
import { EndpointFailure } from '../rpc/failures.ts'
import { several } from '../rpc/several.ts'
import {
  type Block,
  type Log,
  type Receipt,
  readBlock,
  readHash,
  readList,
  readObject,
  readQuantity,
  readReceipt,
  toQuantity,
} from './answers.ts'
import { readCursor, type Seen, writeCursor } from './deposit-cursor.ts'
import { addressWord, readTransferLog, TRANSFER_TOPIC } from './erc20.ts'
import { type Inclusion, inclusionOf, isInChain } from './inclusion.ts'

/** Looked through at a time. */
const BLOCKS = 20
/** With so many deposits found the rest of the blocks wait for the next time. */
const ENOUGH = 1_000
/** Requests under way at once. */
const AT_ONCE = 8
/** With more addresses than this all transfers of the tokens are asked for. */
const ADDRESSES_IN_A_FILTER = 500

/** Whose deposits are looked for: our spelling by that of nodes; and tokens, in that of nodes. */
type Watched = { readonly addresses: ReadonlyMap<string, string>; readonly tokens: ReadonlySet<string> }

/**
 * Deposits on one chain: coins that a transaction sends, and transfers of the watched tokens. Coins that a contract pays out are in no transaction of
 * their own; they show in the balance alone.
 */
export function depositWatch(chain: Pick<Chain, 'id' | 'nativeAsset'>, tokens: readonly string[]) {
  const watchedTokens = new Set(tokens.map((token) => token.toLowerCase()))

  /** As `ChainNode.deposits`, as one node tells it. */
  async function after(call: Call, addresses: ReadonlySet<string>, cursor: string | null): Promise<Deposits> {
    const head = readQuantity(await call('eth_blockNumber'))
    const seen = cursor === null ? [] : await stillInChain(call, readCursor(cursor))
    const from = seen[0] ? seen[0].height + 1n : await firstOf(cursor, head)
    const blocks = linked(await blocksFrom(call, from, head), seen[0]?.hash)
    const watched = { addresses: new Map([...addresses].map((address) => [address.toLowerCase(), address])), tokens: watchedTokens }
    const found: Deposit[] = []
    const done: Block[] = []
    for (const block of blocks) {
      if (found.length >= ENOUGH) break
      found.push(...(await depositsIn(call, block, watched)))
      done.push(block)
    }
    const last = done.at(-1)?.height ?? from - 1n
    return { found, cursor: writeCursor([...done.map(referenceTo).reverse(), ...seen]), height: last, isAtHead: last >= head }
  }

  async function depositsIn(call: Call, block: Block, watched: Watched): Promise<Deposit[]> {
    const paying = new Map(
      block.transactions.filter(({ to, value }) => value > 0n && to !== null && watched.addresses.has(to)).map((each) => [each.hash, each]),
    )
    const hashes = new Set([...paying.keys(), ...(await transfersIn(call, block, watched))])
    const found = await several(AT_ONCE, [...hashes], async (hash) => {
      const receipt = readReceipt(await call('eth_getTransactionReceipt', [hash]))
      // The chain has moved on in the middle of this.
      if (receipt?.block.hash !== block.hash) throw new EndpointFailure('unable', false)
      if (!receipt.hasSucceeded) return []
      const transaction = paying.get(hash)
      const coins = transaction && { to: transaction.to!, from: transaction.from, asset: chain.nativeAsset, amount: transaction.value }
      const entries = [...(coins ? [[`${hash}:coins`, coins] as const] : []), ...tokensIn(receipt, hash, watched)]
      return entries.map(([id, moved]) => ({ id, hash, block: referenceTo(block), ...spelled(moved, watched) }))
    })
    return found.flat().filter(({ from, to }) => from !== to)
  }

  /** Of the tokens that are watched, to addresses that are. The place is that in the receipt, as that in the block is another after a reorganisation. */
  function tokensIn({ logs }: Receipt, hash: string, { addresses, tokens }: Watched): (readonly [id: string, moved: Movement])[] {
    return logs.flatMap((log, place) => {
      const moved = tokens.has(log.address) ? transferIn(chain.id, log) : undefined
      return moved && addresses.has(moved.to) && moved.amount > 0n ? [[`${hash}:log:${place}`, moved] as const] : []
    })
  }

  return {
    after,
    /** Where a deposit is in the chain, if it still is. */
    async inclusion(call: Call, { id, hash, to, asset, amount }: Deposit): Promise<Inclusion | null> {
      const inclusion = await inclusionOf(call, hash)
      if (!inclusion?.receipt.hasSucceeded) return null
      const place = /:log:(\d+)$/.exec(id)?.[1]
      if (place === undefined) return inclusion
      const log = inclusion.receipt.logs[Number(place)]
      const moved = log && transferIn(chain.id, log)
      return moved && moved.to === to.toLowerCase() && moved.asset === asset && moved.amount === amount ? inclusion : null
    },
  }
}

type Movement = Pick<Deposit, 'asset' | 'amount'> & { readonly to: string; readonly from: string }

function transferIn(chain: string, log: Log): Movement | undefined {
  const moved = readTransferLog(log)
  if (!moved) return undefined
  const { from, to, amount } = moved
  return { asset: `${chain}/erc20:${withChecksum(log.address)}`, amount, from: from.toLowerCase(), to: to.toLowerCase() }
}

const spelled = (moved: Movement, { addresses }: Watched) => ({ ...moved, from: withChecksum(moved.from), to: addresses.get(moved.to)! })

const referenceTo = ({ height, hash }: Block) => ({ height, hash })

/** Asked by the hash of the block: a node that does not have it says so, instead of finding nothing. */
async function transfersIn(call: Call, { hash: blockHash }: Block, { addresses, tokens }: Watched): Promise<readonly string[]> {
  if (tokens.size === 0 || addresses.size === 0) return []
  const recipients =
    addresses.size <= ADDRESSES_IN_A_FILTER ? [[...addresses.keys()].map((address) => `0x${bytesToHex(addressWord(address))}`)] : []
  const filter = { blockHash, address: [...tokens], topics: [TRANSFER_TOPIC, null, ...recipients] }
  return readList(await call('eth_getLogs', [filter])).map((log) => readHash(readObject(log).transactionHash))
}

async function blocksFrom(call: Call, from: bigint, head: bigint): Promise<readonly (Block | null)[]> {
  const count = Math.max(0, Math.min(BLOCKS, Number(head - from) + 1))
  const heights = Array.from({ length: count }, (_, index) => from + BigInt(index))
  return several(AT_ONCE, heights, async (height) => readBlock(await call('eth_getBlockByNumber', [toQuantity(height), true])))
}

/** Those from the first on that follow each other, and the one before them: what comes after belongs to another chain, or to none yet. */
function linked(blocks: readonly (Block | null)[], before: string | undefined): readonly Block[] {
  const following: Block[] = []
  for (const block of blocks) {
    const parent = following.at(-1)?.hash ?? before
    if (block === null || (parent !== undefined && block.parentHash !== parent)) break
    following.push(block)
  }
  return following
}

/** What has been seen, without what a reorganisation has taken out of the chain. */
async function stillInChain(call: Call, seen: Seen): Promise<Seen> {
  for (const [index, block] of seen.entries()) if (await isInChain(call, block)) return seen.slice(index)
  return []
}

/** Where to begin when nothing that has been seen is in the chain: where that began, or with the newest block if there was nothing. */
async function firstOf(cursor: string | null, head: bigint): Promise<bigint> {
  const oldest = cursor === null ? undefined : readCursor(cursor).at(-1)
  return oldest === undefined || oldest.height > head ? head : oldest.height
}

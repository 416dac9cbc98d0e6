/**
 * A regtest node in a process of its own, with JSON-RPC over HTTP in the shape of Bitcoin Core's: bcoin keeps the chain and judges blocks and transactions.
 * What it does not know and Core does is done here: outputs of an address (`scantxoutset`), replacement by fee (BIP-125), BIP-341, and errors in Core's
 * words. `mine`, `pay`, `forget` and `doublespend` are for tests alone.
 */
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'
import { NETWORKS } from '../../adapters/chains/bitcoin/networks.ts'
import { scriptOf } from '../../adapters/chains/bitcoin/output-script.ts'
import { maySpend, parse } from '../../adapters/chains/bitcoin/testing/consensus.ts'
import { dustLimit } from '../../adapters/chains/bitcoin/weight.ts'

process.env.NODE_BACKEND = 'js'
const bcoin = createRequire(import.meta.url)('bcoin')
const REGTEST = '0f9188f13cb7b2c71f2a335e3a4fc328'
const { parameters } = NETWORKS[REGTEST]!

/** Satoshi per 1,000 virtual bytes: for what is passed on at all, and by how much more a replacement pays. */
const RELAY_FEE = 1_000
const COINBASE_MATURITY = 100

class RpcError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message)
  }
}

type Hex = string
const reversed = (hash: Hex): Hex => Buffer.from(hash, 'hex').reverse().toString('hex')
const bitcoins = (satoshi: number) => satoshi / 1e8

// Segregated witness is agreed on within the first blocks, not within the first 432.
Object.assign(bcoin.Network.get('regtest').deployments.segwit, { window: 3, threshold: 2 })
const node = new bcoin.FullNode({
  ...{ network: 'regtest', memory: true, listen: false, indexTx: true, replaceByFee: true, workers: false },
  // It serves HTTP of its own, too, which nobody asks; on any free port, as there may be several nodes.
  httpPort: 0,
})
const { chain, mempool, miner } = node
const miningKey = bcoin.KeyRing.generate('regtest')
miningKey.witness = true
/** Coinbases that can be spent to pay with, oldest first. */
const purse: { readonly tx: { outputs: { value: number }[] }; readonly height: number }[] = []

// Outputs of version 1 anybody may spend as far as bcoin knows: it would not pass such a transaction on.
const verifyInputs = mempool.verifyInputs.bind(mempool)
mempool.verifyInputs = (tx: unknown, view: unknown, flags: number) =>
  verifyInputs(tx, view, flags & ~bcoin.Script.flags.VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM)

async function entryOf(hash: Hex) {
  const entry = await chain.getEntry(reversed(hash))
  if (!entry) throw new RpcError(-5, 'Block not found')
  return entry
}

/** The unspent output, in the chain or also in the mempool. */
async function coinAt(hash: Hex, index: number) {
  return mempool.getCoin(hash, index) ?? (await chain.getCoin(hash, index))
}

async function accept(hex: Hex): Promise<Hex> {
  const tx = bcoin.TX.fromRaw(Buffer.from(hex, 'hex'))
  const txid = reversed(tx.hash('hex'))
  if (mempool.has(tx.hash('hex'))) throw new RpcError(-26, 'txn-already-in-mempool')
  const coins = await Promise.all(
    tx.inputs.map(async ({ prevout: { hash, index } }: { prevout: { hash: Hex; index: number } }) => {
      const spender = mempool.getSpent(hash, index)
      const found = spender ? await chain.getCoin(hash, index) : await coinAt(hash, index)
      return found && { spender, value: found.value as number, script: found.script.toRaw() as Buffer }
    }),
  )
  if (coins.some((coin) => !coin)) {
    if (await chain.hasCoins(tx)) throw new RpcError(-27, 'Transaction outputs already in utxo set')
    throw new RpcError(-25, 'bad-txns-inputs-missingorspent')
  }
  const size = Math.ceil(tx.getWeight() / 4)
  const fee =
    coins.reduce((sum, { value }) => sum + value, 0) - tx.outputs.reduce((sum: number, { value }: { value: number }) => sum + value, 0)
  if (tx.outputs.some((output: { value: number; script: { toRaw(): Buffer } }) => isDust(output))) throw new RpcError(-26, 'dust')
  if (fee < (size * RELAY_FEE) / 1_000) throw new RpcError(-26, 'min relay fee not met')
  requireTaproot(tx.toRaw(), coins)
  replaceSpenders(new Set(coins.map(({ spender }) => spender).filter(Boolean)), fee, size)
  try {
    if (await mempool.addTX(tx)) throw new RpcError(-25, 'bad-txns-inputs-missingorspent')
  } catch (error) {
    const { reason } = error as { reason?: string }
    throw reason === undefined ? error : new RpcError(-26, reason)
  }
  return txid
}

function isDust({ value, script }: { value: number; script: { toRaw(): Buffer } }): boolean {
  const raw = script.toRaw()
  return raw[0] !== 0x6a && BigInt(value) < dustLimit({ script: raw })
}

function requireTaproot(raw: Buffer, coins: readonly { value: number; script: Buffer }[]): void {
  const spent = coins.map(({ value, script }) => ({ amount: BigInt(value), script }))
  const transaction = parse(raw)
  for (const [index, { script }] of coins.entries())
    if (script[0] === 0x51 && !maySpend(transaction, spent, index))
      throw new RpcError(-26, 'mandatory-script-verify-flag-failed (Invalid Schnorr signature)')
}

/** BIP-125, rules 3 and 4, and that the rate is higher. */
function replaceSpenders(spenders: ReadonlySet<{ fee: number; size: number }>, fee: number, size: number): void {
  if (spenders.size === 0) return
  const before = [...spenders].reduce((sum, spender) => sum + spender.fee, 0)
  const isHigher = [...spenders].every((spender) => fee / size > spender.fee / spender.size)
  if (!isHigher || fee < before + (size * RELAY_FEE) / 1_000) throw new RpcError(-26, 'insufficient fee, rejecting replacement')
  for (const spender of spenders) mempool.evictEntry(spender)
}

async function mine(blocks: number): Promise<Hex[]> {
  const hashes: Hex[] = []
  for (let mined = 0; mined < blocks; mined++) {
    const block = await miner.mineBlock(chain.tip, miningKey.getAddress())
    if (!(await chain.add(block))) throw new RpcError(-1, 'the block was not taken')
    purse.push({ tx: block.txs[0], height: chain.height })
    hashes.push(reversed(block.hash('hex')))
  }
  return hashes
}

/** From the oldest coinbase; what is left over is left to the miner. Each payment is in the mempool until a block is mined. */
async function pay(address: string, satoshi: number): Promise<Hex> {
  const coinbase = purse.shift()
  if (!coinbase || coinbase.height + COINBASE_MATURITY > chain.height + 1) throw new RpcError(-6, 'nothing to pay with: mine more blocks')
  const mtx = new bcoin.MTX()
  mtx.addTX(coinbase.tx, 0)
  mtx.addOutput(bcoin.Script.fromRaw(Buffer.from(scriptOf(parameters, address))), satoshi)
  mtx.addOutput(miningKey.getAddress(), coinbase.tx.outputs[0]!.value - satoshi - 10_000)
  mtx.sign(miningKey)
  await mempool.addTX(mtx.toTX())
  return reversed(mtx.hash('hex'))
}

/** What was in the blocks, or waited for one, waits again; bcoin itself forgets it. */
async function invalidate(hash: Hex): Promise<null> {
  const waiting = [...mempool.map.values()].map(({ tx }: { tx: unknown }) => tx)
  const undone = []
  for (let height = (await entryOf(hash)).height; height <= chain.height; height++)
    undone.push(...(await chain.getBlock(await chain.getHash(height))).txs.slice(1))
  await chain.invalidate(reversed(hash))
  await mempool.reset()
  for (const tx of [...undone, ...waiting]) await mempool.addTX(tx)
  return null
}

/** A transaction that waits for a block is forgotten, with what spends from it. Gives the transaction. */
function forget(txid: Hex) {
  const entry = mempool.getEntry(reversed(txid))
  if (!entry) throw new RpcError(-5, 'No such mempool transaction')
  mempool.evictEntry(entry)
  return entry.tx
}

/** What a transaction that waits for a block spends goes to the miner instead. Gives the txid of the other one. */
async function doubleSpend(txid: Hex): Promise<Hex> {
  const { inputs } = forget(txid)
  const coins = await Promise.all(
    inputs.map(({ prevout: { hash, index } }: { prevout: { hash: Hex; index: number } }) => chain.getCoin(hash, index)),
  )
  const mtx = new bcoin.MTX()
  for (const coin of coins) mtx.addCoin(coin)
  mtx.addOutput(miningKey.getAddress(), coins.reduce((sum, { value }) => sum + value, 0) - 20_000)
  mtx.sign(miningKey)
  await mempool.addTX(mtx.toTX())
  return reversed(mtx.hash('hex'))
}

/** All blocks are read: they are few. */
async function scan(address: string) {
  const script = Buffer.from(scriptOf(parameters, address)).toString('hex')
  const unspents = new Map<string, object>()
  for (let height = 0; height <= chain.height; height++) {
    const block = await chain.getBlock(await chain.getHash(height))
    for (const tx of block.txs) {
      for (const { prevout } of tx.inputs) unspents.delete(`${prevout.hash}:${prevout.index}`)
      for (const [index, output] of tx.outputs.entries())
        if (output.script.toRaw().toString('hex') === script)
          unspents.set(`${tx.hash('hex')}:${index}`, {
            txid: reversed(tx.hash('hex')),
            vout: index,
            scriptPubKey: script,
            amount: bitcoins(output.value),
            coinbase: tx.isCoinbase(),
            height,
          })
    }
  }
  return { success: true, height: chain.height, bestblock: chain.tip.rhash(), unspents: [...unspents.values()] }
}

const METHODS: { readonly [method: string]: (...params: never[]) => unknown } = {
  getbestblockhash: () => chain.tip.rhash(),
  async getblockhash(height: number) {
    if (height > chain.height) throw new RpcError(-8, 'Block height out of range')
    return reversed(await chain.getHash(height))
  },
  async getblockheader(hash: Hex) {
    const entry = await entryOf(hash)
    return { hash, height: entry.height, confirmations: (await chain.isMainChain(entry)) ? chain.height - entry.height + 1 : -1 }
  },
  getblock: async (hash: Hex) => (await chain.getBlock((await entryOf(hash)).hash)).toRaw().toString('hex'),
  async getrawtransaction(txid: Hex) {
    const found = await node.getMeta(reversed(txid))
    if (!found) throw new RpcError(-5, 'No such mempool or blockchain transaction. Use gettransaction for wallet transactions.')
    const mined = found.block ? { blockhash: reversed(found.block), confirmations: chain.height - found.height + 1 } : {}
    return { txid, hex: found.tx.toRaw().toString('hex'), ...mined }
  },
  async gettxout(txid: Hex, index: number, includeMempool: boolean) {
    const coin = await (includeMempool ? coinAt(reversed(txid), index) : chain.getCoin(reversed(txid), index))
    return coin ? { value: bitcoins(coin.value), confirmations: chain.height - coin.height + 1 } : null
  },
  sendrawtransaction: accept,
  // There are no fees to learn from.
  estimatesmartfee: () => ({ errors: ['Insufficient data or no feerate found'], blocks: 2 }),
  getmempoolinfo: () => ({ mempoolminfee: bitcoins(RELAY_FEE), minrelaytxfee: bitcoins(RELAY_FEE), size: mempool.map.size }),
  getnetworkinfo: () => ({ relayfee: bitcoins(RELAY_FEE), incrementalfee: bitcoins(RELAY_FEE) }),
  scantxoutset: (_: 'start', [descriptor]: readonly string[]) => scan(/^addr\((.*)\)$/.exec(descriptor ?? '')?.[1] ?? ''),
  invalidateblock: invalidate,
  mine,
  pay,
  forget: (txid: Hex) => void forget(txid),
  doublespend: doubleSpend,
}

async function answerTo(body: string) {
  const { id, method, params } = JSON.parse(body) as { id: unknown; method: string; params: never[] }
  try {
    const work = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined
    if (!work) throw new RpcError(-32601, 'Method not found')
    return { jsonrpc: '2.0', id, result: await work(...params) }
  } catch (error) {
    const { message, code = -1 } = error as RpcError
    return { jsonrpc: '2.0', id, error: { code, message } }
  }
}

await node.open()
await mine(COINBASE_MATURITY + 30)
const server = createServer(async (request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(await answerTo(await text(request))))
})
server.listen(0, '127.0.0.1', () => process.send?.(server.address()))
process.once('disconnect', () => process.exit())

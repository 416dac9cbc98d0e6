import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { bytesToHex } from '@noble/hashes/utils.js'
import { addressWord } from '../../adapters/chains/evm/erc20.ts'

const START_WITHIN_MS = 30_000
const MINED_WITHIN_MS = 30_000
const POLL_MS = 5

/** The first of the accounts that every anvil has, with 10,000 ether; its key is public. */
export const RICH = {
  address: '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
  secret: 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
}

export type AnvilOptions = {
  /** Any free one without. */
  readonly port?: number
  /** Further arguments, such as `--no-mining`, `--block-time 1` or `--chain-id 5`. */
  readonly args?: readonly string[]
}

/** A real node of a chain of its own, 31337 unless the arguments say otherwise. It mines a block for each transaction, unless told not to. */
export type Anvil = {
  readonly url: string
  readonly port: number
  /** Asks it without anything in between. @throws Error with the node's words */
  call(method: string, ...params: unknown[]): Promise<unknown>
  /** Gives an address so much ether, in wei; in no transaction. */
  fund(address: string, wei: bigint): Promise<void>
  /** Sends wei from the rich account, and waits until the transaction is mined, so that the node has to mine; gives its hash. */
  send(to: string, wei: bigint, data?: string): Promise<string>
  mine(blocks: number): Promise<void>
  /** SIGKILL: what it had in memory is gone. */
  kill(): Promise<void>
}

/** Runs the binary as it comes from npm, without the script that npm would start it by. */
export async function startAnvil({ port = 0, args = [] }: AnvilOptions = {}): Promise<Anvil> {
  const child = spawn(binary(), ['--port', String(port), '--host', '127.0.0.1', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  // A test that fails half-way leaves nothing behind.
  const abandoned = () => void child.kill('SIGKILL')
  process.once('exit', abandoned)
  child.once('close', () => process.off('exit', abandoned))
  const listening = new Promise<number>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('anvil does not start')), START_WITHIN_MS)
    child.once('error', reject)
    child.once('close', () => reject(new Error('anvil ended before it listened')))
    // It logs every call, and would stand still if nobody read that.
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /^Listening on .*:(\d+)$/.exec(line)
      if (!found) return
      clearTimeout(late)
      resolve(Number(found[1]))
    })
  })
  const actual = await listening.catch((error: unknown) => {
    abandoned()
    throw error
  })
  const url = `http://127.0.0.1:${actual}`
  const call = async (method: string, ...params: unknown[]): Promise<unknown> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } }
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }
  const send = async (to: string, wei: bigint, data = '0x'): Promise<string> => {
    const hash = await call('eth_sendTransaction', { from: RICH.address, to, value: hex(wei), data })
    await mined({ call }, hash)
    return String(hash)
  }
  return {
    url,
    port: actual,
    call,
    fund: async (address, wei) => void (await call('anvil_setBalance', address, hex(wei))),
    send,
    mine: async (blocks) => void (await call('anvil_mine', hex(blocks))),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Puts a contract there, with words for its constructor; gives its address. */
export async function deploy(anvil: Anvil, bytecode: string, ...words: bigint[]): Promise<string> {
  const data = `0x${bytecode}${words.map((word) => word.toString(16).padStart(64, '0')).join('')}`
  const { contractAddress } = await mined(anvil, await anvil.call('eth_sendTransaction', { from: RICH.address, data }))
  return contractAddress
}

/** The receipt of a transaction once there is one: also a node that mines at once takes its time after it has taken it. */
export async function mined(anvil: Pick<Anvil, 'call'>, hash: unknown): Promise<{ contractAddress: string }> {
  const deadline = Date.now() + MINED_WITHIN_MS
  while (Date.now() < deadline) {
    const receipt = await anvil.call('eth_getTransactionReceipt', hash)
    if (receipt) return receipt as { contractAddress: string }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`${hash} is not mined`)
}

/** Gives an address so many tokens of the rich account, in a transaction; gives its hash. */
export const sendTokens = (anvil: Anvil, token: string, to: string, amount: bigint): Promise<string> =>
  anvil.send(token, 0n, `0xa9059cbb${bytesToHex(addressWord(to))}${amount.toString(16).padStart(64, '0')}`)

const hex = (value: bigint | number): string => `0x${value.toString(16)}`

function binary(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  return createRequire(import.meta.url).resolve(`@foundry-rs/anvil-${process.platform}-${architecture}/bin/anvil`)
}

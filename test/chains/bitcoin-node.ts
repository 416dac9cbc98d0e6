import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

const START_WITHIN_MS = 60_000

/** A regtest node with a chain of its own, 130 blocks long, that is gone when it ends. It mines when it is told to. */
export type BitcoinNode = {
  readonly url: string
  /** Asks it without anything in between. @throws Error with the node's words */
  call(method: string, ...params: unknown[]): Promise<unknown>
  /** Pays so much to an address; the transaction waits for a block. Gives its txid. */
  pay(address: string, satoshi: number): Promise<string>
  /** Spends otherwise what a payment that waits for a block would have; gives the txid. */
  doubleSpend(txid: string): Promise<string>
  /** Gives the hashes of the blocks. */
  mine(blocks: number): Promise<readonly string[]>
  stop(): Promise<void>
}

export async function startBitcoinNode(): Promise<BitcoinNode> {
  const child = fork(new URL('./bcoin-process.js', import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] })
  const ended = once(child, 'close')
  const [address] = (await once(child, 'message', { signal: AbortSignal.timeout(START_WITHIN_MS) })) as [AddressInfo]
  const url = `http://127.0.0.1:${address.port}`
  const call = async (method: string, ...params: unknown[]): Promise<unknown> => {
    const response = await fetch(url, { method: 'POST', body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) })
    const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } }
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }
  return {
    url,
    call,
    pay: async (to, satoshi) => String(await call('pay', to, satoshi)),
    doubleSpend: async (txid) => String(await call('doublespend', txid)),
    mine: async (blocks) => (await call('mine', blocks)) as string[],
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

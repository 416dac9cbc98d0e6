import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const START_WITHIN_MS = 30_000
/** The first of the accounts that every anvil has; its key is public. */
const FAUCET = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'

/** An EVM chain for one machine, `eip155:31337`, gone when it is stopped. */
export type LocalChain = {
  url: string
  /** Sends wei from an account that has plenty. */
  give(address: string, wei: bigint): Promise<void>
  stop(): void
}

/** Starts anvil; undefined where it is not installed: it is needed for development only. */
export async function startLocalChain(): Promise<LocalChain | undefined> {
  const binary = findAnvil()
  if (binary === undefined) return undefined
  const child = spawn(binary, ['--port', '0', '--host', '127.0.0.1'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const stop = () => void child.kill('SIGKILL')
  process.once('exit', stop)
  const url = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('anvil does not start')), START_WITHIN_MS)
    child.once('error', reject)
    child.once('exit', () => reject(new Error('anvil has ended')))
    // It is read to the end: anvil would stand still if nobody did.
    createInterface({ input: child.stdout }).on('line', (line) => {
      const address = /^Listening on (\S+)$/.exec(line)?.[1]
      if (address === undefined) return
      clearTimeout(late)
      resolve(`http://${address}`)
    })
  })
  return {
    url,
    stop,
    async give(to, wei) {
      const transaction = { from: FAUCET, to, value: `0x${wei.toString(16)}` }
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_sendTransaction', params: [transaction] })
      const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      const { error } = (await response.json()) as { error?: { message: string } }
      if (error) throw new Error(`anvil: ${error.message}`)
    },
  }
}

function findAnvil(): string | undefined {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  try {
    return createRequire(import.meta.url).resolve(`@foundry-rs/anvil-${process.platform}-${architecture}/bin/anvil`)
  } catch {
    return undefined
  }
}

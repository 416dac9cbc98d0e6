import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { readSettings } from '../adapters/process/settings.ts'
import type { Scheme } from '../domain/threshold/scheme.ts'
import { type Client, connectClient, type KeyView } from './client/client.ts'
import { verifySignature } from './client/verify.ts'
import { type LocalChain, startLocalChain } from './demo/local-chain.ts'
import { startSystem } from './supervisor/system.ts'

const MESSAGE = 'Pay nobody: this is a demonstration.'

const SOLANA = 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp'
const BITCOIN = 'bip122:000000000019d6689c085ae165831e93'
const LOCAL = 'eip155:31337'
const ETHER = 10n ** 18n
/** Whoever has the key: nobody. */
const RECIPIENT = '0x00000000000000000000000000000000DeaDBeef'
const DEPOSIT_WITHIN_MS = 30_000
const LOOK_EVERY_MS = 200

type Replayed = {
  wallet: { name: string }
  keys: { keyId: string; publicKey: string }[]
  sessions: { signature: string | null }[]
  events: number
  digest: string
}

const say = (line = '') => console.log(line)

/** `npm run demo`: the main job once through, in a temporary folder, leaving nothing behind. */
async function demo(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-demo-'))
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort(new Error(signal)))
  const chain = await startLocalChain()
  try {
    const chainsFile = join(dataDir, 'chains.json')
    const endpoints = chain ? [chain.url] : []
    await writeFile(chainsFile, JSON.stringify({ [SOLANA]: {}, [BITCOIN]: {}, [LOCAL]: { endpoints } }))
    say('Starting Quorate: an event store, read models, a message broker, five signing parties, and the API.')
    const settings = readSettings({ QUORATE_DATA_DIR: dataDir, QUORATE_PORT: '0', QUORATE_CHAINS: chainsFile })
    const system = await startSystem(settings, { died: () => {}, returned: () => {} })
    try {
      for (const line of system.description) say(`  ${line}`)
      say()
      if (!system.client) throw new Error('the development client is missing')
      await Promise.race([tour(connectClient(system.client), dataDir, chain), untilAborted(interrupted.signal)])
    } finally {
      await system.stop()
    }
    say('Everything has been stopped and removed. `npm start` runs it for you to use.')
  } finally {
    chain?.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function tour(client: Client, dataDir: string, chain: LocalChain | undefined): Promise<void> {
  const walletId = await client.createWallet('demo')
  say(`Wallet ${walletId}`)
  say()
  const signatures: string[] = []
  for (const [scheme, on] of [
    ['frost-ed25519', SOLANA],
    ['frost-secp256k1-tr', BITCOIN],
  ] as const) {
    const key = await generateKey(client, walletId, scheme)
    const { address } = await client.openAccount(walletId, { keyId: key.keyId, chain: on })
    say(`  address     ${address}`)
    signatures.push(await sign(client, scheme, key))
  }
  const moment = await replay(dataDir, walletId)
  const agrees = signatures.every((signature) => moment.sessions.some((session) => session.signature === signature))
  say(`Replay of the log alone: ${moment.events} events, ${moment.keys.length} keys, ${moment.sessions.length} signatures`)
  say(`  SHA-256 over the events   ${moment.digest}`)
  say(`  the log tells the same    ${agrees ? 'yes' : 'NO'}`)
  say()
  if (!agrees) throw new Error('the log and the answers of the API differ')
  if (chain) await transfer(client, walletId, chain)
  else say('No transfer: anvil, the chain to try one on, is not installed (it comes with the development dependencies).')
  say()
}

/** A deposit, and a payment out of it, on a chain of this machine. */
async function transfer(client: Client, walletId: string, chain: LocalChain): Promise<void> {
  const { keyId } = await generateKey(client, walletId, 'dkls23-secp256k1')
  const { accountId, address } = await client.openAccount(walletId, { keyId, chain: LOCAL })
  say(`  address     ${address}`)
  const available = async () => (await client.balances(walletId)).find((balance) => balance.accountId === accountId)?.available ?? '0'
  await chain.give(address, ETHER)
  const deadline = Date.now() + DEPOSIT_WITHIN_MS
  while ((await available()) === '0') {
    if (Date.now() > deadline) throw new Error('the deposit was not credited')
    await delay(LOOK_EVERY_MS)
  }
  say(`  deposit     ${await available()} wei, credited`)
  const began = performance.now()
  const asset = `${LOCAL}/slip44:60`
  const transferId = await client.requestTransfer(walletId, { chain: LOCAL, asset, to: RECIPIENT, amount: String(ETHER / 4n) })
  const { status, hash, block, failure, stuck } = await client.transfer(transferId, 'confirmed')
  if (status !== 'confirmed' && status !== 'finalized') throw new Error(`transfer: ${status} ${JSON.stringify(failure ?? stuck)}`)
  say(`  transfer    ${ETHER / 4n} wei to ${RECIPIENT}`)
  say(`  transaction ${hash}`)
  say(`  ${status.padEnd(11)} in block ${block?.height} (${elapsed(began)}); ${await available()} wei are left`)
}

async function generateKey(client: Client, walletId: string, scheme: Scheme): Promise<KeyView> {
  const began = performance.now()
  const key = await client.generateKey(walletId, scheme, 3, 5, {})
  if (key.status !== 'active') throw new Error(`key generation: ${key.status} ${JSON.stringify(key.failure)}`)
  say(`${scheme}: a key shared by ${key.parties.join(', ')}; any three can sign (${elapsed(began)})`)
  say(`  public key  ${key.publicKey}`)
  return key
}

async function sign(client: Client, scheme: Scheme, key: KeyView): Promise<string> {
  const began = performance.now()
  const { sessionId } = await client.requestSignature(key.keyId, { kind: 'message', encoding: 'utf8', data: MESSAGE })
  const session = await client.session(sessionId)
  if (session.status !== 'signed') throw new Error(`signing: ${session.status} ${JSON.stringify(session.failure)}`)
  const valid = verifySignature(scheme, key.publicKey, Buffer.from(MESSAGE), session.signature)
  say(`  signature   ${session.signature}`)
  say(`  by          ${session.signers.join(', ')} (${elapsed(began)}), ${valid ? 'valid' : 'INVALID'} by an independent verifier`)
  say()
  if (!valid) throw new Error('the signature does not verify')
  return session.signature
}

async function replay(dataDir: string, walletId: string): Promise<Replayed> {
  const script = join(import.meta.dirname, 'replay.js')
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--wallet', walletId], {
    env: { ...process.env, QUORATE_DATA_DIR: dataDir },
    timeout: 30_000,
  })
  return JSON.parse(stdout) as Replayed
}

const elapsed = (began: number) => `${Math.round(performance.now() - began)} ms`

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

try {
  await demo()
} catch (error) {
  console.error(`The demonstration failed: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}

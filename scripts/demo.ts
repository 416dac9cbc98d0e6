import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readSettings } from '../adapters/process/settings.ts'
import type { Scheme } from '../domain/threshold/scheme.ts'
import { type Client, connectClient, type KeyView } from './client/client.ts'
import { verifySignature } from './client/verify.ts'
import { startSystem } from './supervisor/system.ts'

const MESSAGE = 'Pay nobody: this is a demonstration.'

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
  try {
    say('Starting Quorate: an event store, read models, a message broker, five signing parties, and the API.')
    const system = await startSystem({ ...readSettings({}), dataDir, port: 0 }, { died: () => {}, returned: () => {} })
    try {
      for (const line of system.description) say(`  ${line}`)
      say()
      if (!system.client) throw new Error('the development client is missing')
      await Promise.race([tour(connectClient(system.client), dataDir), untilAborted(interrupted.signal)])
    } finally {
      await system.stop()
    }
    say('Everything has been stopped and removed. `npm start` runs it for you to use.')
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function tour(client: Client, dataDir: string): Promise<void> {
  const walletId = await client.createWallet('demo')
  say(`Wallet ${walletId}`)
  say()
  const signatures: string[] = []
  for (const scheme of ['frost-ed25519', 'frost-secp256k1-tr'] as const) {
    const key = await generateKey(client, walletId, scheme)
    signatures.push(await sign(client, scheme, key))
  }
  const moment = await replay(dataDir, walletId)
  const agrees = signatures.every((signature) => moment.sessions.some((session) => session.signature === signature))
  say(`Replay of the log alone: ${moment.events} events, ${moment.keys.length} keys, ${moment.sessions.length} signatures`)
  say(`  SHA-256 over the events   ${moment.digest}`)
  say(`  the log tells the same    ${agrees ? 'yes' : 'NO'}`)
  say()
  if (!agrees) throw new Error('the log and the answers of the API differ')
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

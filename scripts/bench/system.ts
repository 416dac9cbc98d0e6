import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { connectMessages } from '../../adapters/nats/messages.ts'
import { readSettings } from '../../adapters/process/settings.ts'
import type { EventLog } from '../../domain/ports/event-log.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { walletStream } from '../../domain/wallet/events.ts'
import { type Client, connectClient } from '../client/client.ts'
import { startSystem } from '../supervisor/system.ts'
import { listenForAnnouncements } from './announcements.ts'
import { type Latency, latencyOf, ratePerSecond, timeEach } from './figures.ts'
import { wholeNumber } from './options.ts'
import { type Append, projectionLag } from './projection-lag.ts'
import { describeMachine, writeResults } from './report.ts'

const SCHEMES: readonly Scheme[] = ['frost-ed25519', 'frost-secp256k1-tr']
const LAG_EVENTS_PER_SECOND = 200
const WARMUP_SIGNATURES = 40

type Figures = { latencies: { [name: string]: Latency }; rates: { [name: string]: number } }

/** `[--samples N] [--out FILE]`: the promises of the design, measured against a system of its own over HTTP. */
export async function benchSystem(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { samples: { type: 'string', default: '100' }, out: { type: 'string', default: 'bench-results/latest.json' } },
  })
  const samples = wholeNumber('samples', values.samples)
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-bench-'))
  try {
    const system = await startSystem(readSettings({ ...process.env, QUORATE_DATA_DIR: dataDir, QUORATE_PORT: '0' }), {
      died: console.error,
      returned: console.error,
    })
    try {
      if (!system.client) throw new Error('the benchmark needs the development client, which a configured event store does not have')
      console.log(describeMachine())
      for (const line of system.description) console.log(line)
      const figures = await measure(connectClient(system.client), system.endpoints, samples)
      print(figures)
      await writeResults(values.out, { mode: system.description, ...figures })
    } finally {
      await system.stop()
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function measure(client: Client, endpoints: { eventStore: string; nats: string }, samples: number): Promise<Figures> {
  const latencies: Figures['latencies'] = {}
  const rates: Figures['rates'] = {}
  const walletId = await client.createWallet('bench')

  const keys: { scheme: Scheme; keyId: string }[] = []
  for (const scheme of SCHEMES) {
    const { keyId, status } = await client.generateKey(walletId, scheme, 2, 3)
    if (status !== 'active') throw new Error(`the key is ${status}`)
    keys.push({ scheme, keyId })
  }
  // Whatever is measured first must not pay for what all of it warms up.
  for (let index = 0; index < WARMUP_SIGNATURES; index++) for (const { keyId } of keys) await sign(client, keyId, -index)

  for (const { scheme, keyId } of keys) {
    const signatures: { requested: number; accepted: number; readable: number }[] = []
    for (let index = 0; index < samples; index++) signatures.push(await sign(client, keyId, index))
    latencies[`signature ${scheme} 2-of-3, accepted → readable`] = latencyOf(
      signatures.map(({ accepted, readable }) => readable - accepted),
    )
    latencies[`signature ${scheme} 2-of-3, request sent → readable`] = latencyOf(
      signatures.map(({ requested, readable }) => readable - requested),
    )
    rates[`signatures/s ${scheme} 2-of-3, 16 at a time`] = await ratePerSecond(samples, 16, (index) => sign(client, keyId, index))
  }

  latencies['command: wallet created (one append)'] = await timeEach(samples * 5, 20, () => client.createWallet('bench'))
  latencies['query: GET wallet'] = await timeEach(samples * 10, 50, () => client.get(`/v1/wallets/${walletId}`))
  rates['queries/s GET wallet, 32 at a time'] = await ratePerSecond(samples * 50, 32, () => client.get(`/v1/wallets/${walletId}`))

  const log = connectEventLog({ url: endpoints.eventStore })
  const messages = await connectMessages({ url: endpoints.nats, name: 'bench' })
  const projections = ['wallets']
  const announcements = listenForAnnouncements(messages, projections)
  try {
    const load = { projections, appends: newWallets(log), events: samples * 10, rate: LAG_EVENTS_PER_SECOND }
    latencies[`projection lag at ${LAG_EVENTS_PER_SECOND} events/s`] = (await projectionLag(announcements, load)).last
  } finally {
    announcements.stop()
    await messages.close()
    await log.close()
  }
  return { latencies, rates }
}

/** When the request was sent, when it was accepted, and when the signature was read, by this process's clock. */
async function sign(client: Client, keyId: string, index: number): Promise<{ requested: number; accepted: number; readable: number }> {
  const requested = performance.now()
  const { sessionId } = await client.requestSignature(keyId, message(index))
  const accepted = performance.now()
  const session = await client.session(sessionId)
  if (session.status !== 'signed') throw new Error(`the session is ${session.status}: ${JSON.stringify(session.failure)}`)
  return { requested, accepted, readable: performance.now() }
}

function* newWallets(log: EventLog): Generator<Append> {
  for (;;) {
    const walletId = randomUUID()
    const commandId = randomUUID()
    const data = { walletId, tenant: '*', name: 'bench', clientKeys: [], policy: { rawDigests: false } }
    const occurredAt = new Date().toISOString()
    const caused = { commandId, correlationId: commandId, causationId: commandId }
    const metadata = { ...caused, actor: 'bench', tenant: '*', occurredAt, schemaVersion: 1 }
    const event = { id: randomUUID(), type: 'WalletCreated', data, metadata }
    yield { events: 1, append: async () => (await log.append(walletStream(walletId), 'no_stream', [event])).position }
  }
}

const message = (index: number) => ({ kind: 'message', encoding: 'utf8', data: `bench ${index}` }) as const

function print({ latencies, rates }: Figures): void {
  const width = Math.max(...Object.keys({ ...latencies, ...rates }).map((name) => name.length))
  console.log(`\n${'milliseconds'.padEnd(width)}      p50      p95      p99      max        n`)
  for (const [name, { p50, p95, p99, max, samples }] of Object.entries(latencies)) {
    const columns = [p50, p95, p99, max].map((value) => value.toFixed(1).padStart(9)).join('')
    console.log(`${name.padEnd(width)}${columns}${String(samples).padStart(9)}`)
  }
  console.log()
  for (const [name, rate] of Object.entries(rates)) console.log(`${name.padEnd(width)}${rate.toFixed(0).padStart(9)}`)
  console.log()
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connectMessages } from '../../../adapters/nats/messages.ts'
import { readSettings } from '../../../adapters/process/settings.ts'
import { SCHEMES, type Scheme } from '../../../domain/threshold/scheme.ts'
import { type Client, connectClient } from '../../client/client.ts'
import { startSystem } from '../../supervisor/system.ts'
import { type Figure, latencyOf, type Promised, ratePerSecond } from '../figures.ts'
import { wholeNumber } from '../options.ts'
import { describeMachine, type Findings, printFindings, sayShort, writeResults } from '../report.ts'
import { watchProcesses } from '../resources.ts'
import { childProcesses } from './children.ts'
import { measureEngines } from './engines.ts'
import { lastRoundsOf, type Signed, stepsOf, type Watch, watchSessions } from './steps.ts'

const QUORUMS = [
  { threshold: 2, parties: 3 },
  { threshold: 3, parties: 5 },
] as const
const STOCKS = { 'with stock': 10, 'without stock': 0 } as const
type Stock = keyof typeof STOCKS
const AT_A_TIME = [1, 8, 64] as const
const ENGINE_SAMPLES = 10

/** What is promised of keys that two of three parties sign with: of the whole signature, and of the last round alone. */
const PROMISED: { readonly [stock in Stock]: { readonly [of in Scheme]?: { whole?: Promised; lastRound?: Promised } } } = {
  'with stock': {
    'frost-secp256k1-tr': { whole: { below: 60 } },
    'frost-ed25519': { whole: { below: 100 } },
    'dkls23-secp256k1': { lastRound: { below: 40 } },
  },
  'without stock': { 'dkls23-secp256k1': { whole: { below: 120 } } },
}
const RATE_PROMISED: Promised = { atLeast: 40 }

type Key = { scheme: Scheme; keyId: string; quorum: string; stock: Stock; isPromised: boolean }

type Samples = {
  /** Of each figure. */
  count: number
  /** Sessions of all keys together, before anything is measured. */
  warmup: number
  /** From one request to the next, milliseconds, where latency is measured. */
  everyMs: number
  /** Of `2-of-3 with stock, frost-ed25519` and the others. */
  only: RegExp
}

/**
 * `[--samples N] [--warmup N] [--every MS] [--only REGEX] [--compare FILE] [--out FILE]`: signatures of a whole system over HTTP, with openings made ahead and without.
 */
export async function benchSigning(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      samples: { type: 'string', default: '100' },
      warmup: { type: 'string', default: '1500' },
      every: { type: 'string', default: '500' },
      only: { type: 'string', default: '' },
      compare: { type: 'string' },
      out: { type: 'string', default: 'bench-results/signing.json' },
    },
  })
  const samples: Samples = {
    count: wholeNumber('samples', values.samples),
    warmup: wholeNumber('warmup', values.warmup),
    everyMs: wholeNumber('every', values.every),
    only: new RegExp(values.only),
  }
  // Alone on the machine, before there is anything else at work.
  const engines = measureEngines(QUORUMS, Math.min(samples.count, ENGINE_SAMPLES))
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-bench-'))
  try {
    const system = await startSystem(readSettings({ ...process.env, QUORATE_DATA_DIR: dataDir, QUORATE_PORT: '0' }), {
      died: console.error,
      returned: console.error,
    })
    try {
      if (!system.client) throw new Error('the benchmark needs the development client, which a configured event store does not have')
      console.log(describeMachine())
      const messages = await connectMessages({ url: system.endpoints.nats, name: 'bench' })
      const watch = watchSessions(messages)
      try {
        const { figures, usage } = await measure(connectClient(system.client), watch, samples)
        const findings = { figures: [...figures, ...engines], usage }
        await printFindings(findings, values.compare)
        await writeResults(values.out, { options: { ...samples, only: samples.only.source }, mode: system.description, ...findings })
      } finally {
        watch.stop()
        await messages.close()
      }
    } finally {
      await system.stop()
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function measure(client: Client, watch: Watch, samples: Samples): Promise<Findings> {
  const figures: Figure[] = []
  const keys = await generateKeys(client, figures, samples.only)
  // Whatever is measured first must not pay for what all of it warms up, and a system that has just started takes twice the time of one that has not.
  await ratePerSecond(samples.warmup, AT_A_TIME[1], (index) => sign(client, watch, keys[index % keys.length]!, -index))
  const usage = watchProcesses(childProcesses())
  for (const key of keys) {
    const found = [...(await latencies(client, watch, key, samples)), ...(await rates(client, watch, key, samples.count))]
    for (const figure of found) if (!figure.name.startsWith('step')) console.log(sayShort(figure))
    figures.push(...found)
  }
  return { figures, usage: usage.stop() }
}

async function generateKeys(client: Client, figures: Figure[], only: RegExp): Promise<Key[]> {
  const keys: Key[] = []
  for (const stock of Object.keys(STOCKS) as Stock[]) {
    const walletId = await client.createWallet('bench', { presignatures: STOCKS[stock] })
    for (const { threshold, parties } of QUORUMS) {
      const quorum = `${threshold}-of-${parties}`
      for (const scheme of SCHEMES.filter((each) => only.test(`${quorum} ${stock}, ${each}`))) {
        const began = performance.now()
        const { keyId, status } = await client.generateKey(walletId, scheme, threshold, parties)
        if (status !== 'active') throw new Error(`the key is ${status}`)
        const took = Math.round(performance.now() - began)
        figures.push({ name: `key asked for → active, ${quorum} ${stock}`, of: scheme, value: took, unit: 'ms' })
        keys.push({ scheme, keyId, stock, quorum, isPromised: threshold === 2 })
      }
    }
  }
  if (keys.length === 0) throw new Error(`--only ${only.source} leaves nothing to be measured`)
  return keys
}

async function latencies(client: Client, watch: Watch, key: Key, { count, everyMs }: Samples): Promise<Figure[]> {
  const signatures: Signed[] = []
  for (let index = 0; index < count; index++) {
    const next = setTimeout(everyMs)
    signatures.push(await sign(client, watch, key, index))
    await next
  }
  const under = `${key.quorum} ${key.stock}`
  const figure = (name: string, milliseconds: readonly number[], promise: Promised | undefined): Figure => {
    const { p50, p95, p99 } = latencyOf(milliseconds)
    const latency: Figure = { name: `${name}, p95, ${under}`, of: key.scheme, value: p95, unit: 'ms', p50ms: p50, p99ms: p99 }
    return key.isPromised && promise ? { ...latency, promise } : latency
  }
  const promised = PROMISED[key.stock][key.scheme]
  const whole = signatures.map(({ requested, readable }) => readable - requested)
  return [
    figure('request → readable', whole, promised?.whole),
    figure('last round', lastRoundsOf(signatures), promised?.lastRound),
    ...stepsOf(signatures, key.scheme, under),
  ]
}

async function rates(client: Client, watch: Watch, key: Key, samples: number): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const atATime of AT_A_TIME) {
    const figure = { name: `sessions, ${atATime} at a time, ${key.quorum} ${key.stock}`, of: key.scheme, unit: 'sessions/s' }
    const promise =
      key.isPromised && key.stock === 'with stock' && key.scheme === 'frost-secp256k1-tr' && atATime > 1 ? { promise: RATE_PROMISED } : {}
    const count = Math.max(samples, 2 * atATime)
    try {
      figures.push({ ...figure, ...promise, value: await ratePerSecond(count, atATime, (index) => sign(client, watch, key, index)) })
    } catch (error) {
      figures.push({ ...figure, value: Number.NaN, failure: error instanceof Error ? error.message : String(error) })
    }
  }
  return figures
}

async function sign(client: Client, watch: Watch, { keyId }: Key, index: number): Promise<Signed> {
  const requested = performance.now()
  const { sessionId } = await client.requestSignature(keyId, { kind: 'message', encoding: 'utf8', data: `bench ${index}` })
  const accepted = performance.now()
  const session = await client.session(sessionId)
  const readable = performance.now()
  if (session.status !== 'signed') throw new Error(`the session is ${session.status}: ${JSON.stringify(session.failure)}`)
  return { requested, accepted, readable, seen: watch.seen(sessionId) }
}

/** Many 3-of-5 signatures over a bad network, with one bad party among the five. */
import { pingParties } from '../../commands/processes/standing/pings.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import type { PartyReport } from '../../domain/ports/coordinators.ts'
import { SIGNING_SESSION_STREAMS, type SigningSessionEvent } from '../../domain/signing-session/events.ts'
import { embeddedBroker, startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { isSignature } from '../ceremony/verify.ts'
import { type NatsProxy, startNatsProxy, type Weather } from './nats-proxy.ts'

export const FAULTS = ['dead', 'slow', 'silent', 'lying', 'flapping'] as const
export type Fault = (typeof FAULTS)[number]

export type FaultRun = {
  sessions: number
  signed: number
  failures: readonly string[]
  /** From the request to the signature, ms, as recorded. */
  p50: number
  p95: number
  most: number
  /** The median of the sessions before the party went bad, over the same network and on the same machine. */
  before: number
  /** How often a party is named in events as the one at fault. */
  culprits: { readonly [partyId: string]: number }
  /** How the coordinator sees the parties at the end. */
  parties: readonly PartyReport[]
  isUp: (partyId: string) => boolean
  network: NatsProxy['counts']
}

const THRESHOLD = 3
const AT_ONCE = 2
const BEFORE = 10
const BAD = 'party-2'
/** The way to and from every party: some milliseconds, one in a hundred lost for a fifth of a second, one in twenty twice. */
const WEATHER: Weather = { delayMs: 1, jitterMs: 6, lossRate: 0.01, stallMs: 200, duplicateRate: 0.05 }
const SLOW: Weather = { ...WEATHER, delayMs: 1_000 }
const FLAP = { upMs: 700, downMs: 400 }
/** The pings of fifteen seconds, in the time of a test. */
const PINGS = { everyMs: 500, timeoutMs: 1_500 }

/** The party that `runFault` makes bad. */
export const badParty = BAD

/** Signs `count` messages, two at a time, while one party is as bad as `fault` says. */
export async function runFault(fault: Fault, count: number): Promise<FaultRun> {
  const broker = await embeddedBroker()
  const proxies = new Map<string, NatsProxy>()
  for (let i = 1; i <= 5; i++) proxies.set(`party-${i}`, await startNatsProxy(broker.url))
  const system = await startTestSystem({ parties: 5, broker, brokerUrlOf: (id) => proxies.get(id)?.url })
  const stopPings = pingParties(system.messages, [...proxies.keys()], system.standing, PINGS)
  const stop = new AbortController()
  try {
    const key = await system.generateKey(await system.createWallet(), {
      scheme: 'frost-secp256k1-tr',
      threshold: THRESHOLD,
      parties: [...proxies.keys()],
    })
    for (const proxy of proxies.values()) proxy.weather = WEATHER
    const { p50: before } = await signMany(system, key, BEFORE, stop.signal)
    const mend = await spoil(system, fault, proxies.get(BAD)!)
    const sessions = await signMany(system, key, count, stop.signal)
    mend()
    return { ...sessions, before, parties: system.standing.reports(), isUp: system.isUp, network: total(proxies) }
  } finally {
    stop.abort()
    stopPings()
    await system.close()
    for (const proxy of proxies.values()) await proxy.close()
  }
}

async function spoil(system: TestSystem, fault: Fault, proxy: NatsProxy): Promise<() => void> {
  const party = system.party(BAD)
  switch (fault) {
    case 'dead':
      await party.kill()
      return () => {}
    case 'silent':
      party.freeze()
      return () => {}
    case 'slow':
      proxy.weather = SLOW
      return () => {}
    case 'lying':
      party.lie = (reply) => (reply.type === 'contributed' ? { ...reply, contribution: altered(reply.contribution) } : reply)
      return () => {}
    case 'flapping': {
      let timer: NodeJS.Timeout
      const down = () => {
        proxy.cut()
        timer = setTimeout(up, FLAP.downMs)
      }
      const up = () => {
        proxy.mend()
        timer = setTimeout(down, FLAP.upMs)
      }
      down()
      return () => {
        clearTimeout(timer)
        proxy.mend()
      }
    }
  }
}

type Over = { at: number; event: SigningSessionEvent }

async function signMany(system: TestSystem, key: ExistingKeyShare, count: number, ends: AbortSignal) {
  const enough = new AbortController()
  const signal = AbortSignal.any([ends, enough.signal])
  const requestedAt = new Map<string, number>()
  const culprits: { [partyId: string]: number } = {}
  const over = new Map<string, Over>()
  const waiting = new Map<string, () => void>()
  const watching = (async () => {
    for await (const batch of system.log.subscribe({ prefixes: [SIGNING_SESSION_STREAMS], signal })) {
      for (const message of batch) {
        if (message.kind !== 'event') continue
        const event = message.event as unknown as SigningSessionEvent
        const { sessionId } = event.data
        const at = Date.parse(message.event.recordedAt)
        if (event.type === 'SigningRequested') requestedAt.set(sessionId, at)
        const blamed =
          event.type === 'SigningStarted'
            ? (event.data.previous?.culprits ?? [])
            : event.type === 'SigningFailed'
              ? event.data.culprits
              : []
        for (const id of blamed) culprits[id] = (culprits[id] ?? 0) + 1
        if (!['SignatureProduced', 'SigningFailed', 'SigningExpired'].includes(event.type)) continue
        over.set(sessionId, { at, event })
        waiting.get(sessionId)?.()
      }
    }
  })()
  const message = (i: number) => new TextEncoder().encode(`pay ${i}`)
  const times: number[] = []
  const failures: string[] = []
  let next = 0
  const worker = async () => {
    while (next < count) {
      const i = next++
      const sessionId = await system.requestSignature(key, message(i), { seconds: 30 })
      if (!over.has(sessionId)) await new Promise<void>((resolve) => waiting.set(sessionId, resolve))
      const { at, event } = over.get(sessionId)!
      if (event.type === 'SignatureProduced' && isSignature(key.scheme, key.publicKey!, message(i), event.data.signature))
        times.push(at - requestedAt.get(sessionId)!)
      else failures.push(event.type === 'SigningFailed' ? event.data.code : event.type)
    }
  }
  await Promise.race([
    Promise.all(Array.from({ length: AT_ONCE }, worker)),
    watching.then(() => Promise.reject(new Error('the log was lost'))),
  ])
  enough.abort()
  times.sort((a, b) => a - b)
  const quantile = (q: number) => times[Math.min(times.length - 1, Math.floor(q * times.length))] ?? Number.POSITIVE_INFINITY
  return { sessions: count, signed: times.length, failures, p50: quantile(0.5), p95: quantile(0.95), most: quantile(1), culprits }
}

const total = (proxies: ReadonlyMap<string, NatsProxy>): NatsProxy['counts'] =>
  [...proxies.values()].reduce(
    (sum, { counts }) => ({ repeated: sum.repeated + counts.repeated, stalled: sum.stalled + counts.stalled, cut: sum.cut + counts.cut }),
    { repeated: 0, stalled: 0, cut: 0 },
  )

function altered(bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice()
  changed[32]! ^= 1
  return changed
}

import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { EventLog } from '../../domain/ports/event-log.ts'
import type { Messages } from '../../domain/ports/messages.ts'
import { walletStream } from '../../domain/wallet/events.ts'
import { type Latency, latencyOf } from './figures.ts'

const SETTLE_MS = 10_000

/**
 * From the acknowledgement of an append to the announcement that the `wallets` read model has it, with new wallets arriving at a steady rate
 * (events per second). The clock is this process's on both ends.
 */
export async function projectionLag(
  log: EventLog,
  messages: Messages,
  { events, rate }: { events: number; rate: number },
): Promise<Latency> {
  const acknowledged: { position: bigint; at: number }[] = []
  const lags: number[] = []
  let done = () => {}
  const settled = new Promise<void>((resolve) => {
    done = resolve
  })
  let reached = -1n
  const take = () => {
    while (acknowledged[0] && acknowledged[0].position <= reached) lags.push(Math.max(0, performance.now() - acknowledged.shift()!.at))
    if (lags.length === events) done()
  }
  const unsubscribe = messages.subscribe('quorate.projection.wallets', (payload) => {
    reached = BigInt(JSON.parse(Buffer.from(payload).toString()).position)
    take()
  })
  try {
    const began = performance.now()
    const appends: Promise<void>[] = []
    for (let index = 0; index < events; index++) {
      appends.push(
        createWallet(log).then((position) => {
          acknowledged.push({ position, at: performance.now() })
          acknowledged.sort((a, b) => Number(a.position - b.position))
          take()
        }),
      )
      const ahead = began + ((index + 1) * 1000) / rate - performance.now()
      if (ahead > 1) await delay(ahead)
    }
    await Promise.all(appends)
    await Promise.race([settled, delay(SETTLE_MS, undefined, { ref: false })])
    if (lags.length < events) throw new Error(`the read model has not caught up with ${events - lags.length} events within ${SETTLE_MS} ms`)
    return latencyOf(lags)
  } finally {
    unsubscribe()
  }
}

async function createWallet(log: EventLog): Promise<bigint> {
  const walletId = randomUUID()
  const commandId = randomUUID()
  const data = { walletId, tenant: '*', name: 'bench', clientKeys: [], policy: { rawDigests: false } }
  const occurredAt = new Date().toISOString()
  const metadata = {
    commandId,
    correlationId: commandId,
    causationId: commandId,
    actor: 'bench',
    tenant: '*',
    occurredAt,
    schemaVersion: 1,
  }
  const { position } = await log.append(walletStream(walletId), 'no_stream', [{ id: randomUUID(), type: 'WalletCreated', data, metadata }])
  return position
}

import { randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import type { Decider } from '../../domain/decider.ts'
import { DomainError } from '../../domain/domain-error.ts'
import type { EventLog, NewEvent } from '../../domain/ports/event-log.ts'
import type { CommandContext } from '../execute.ts'

export type Count = { type: 'Counted'; data: { by: number } }

/** Counts up to a limit. */
export const counterTo = (limit: number, stateVersion = 1): Decider<number, number, Count> => ({
  stateVersion,
  initial: 0,
  decide(total, by) {
    if (total + by > limit) throw new DomainError('session_terminal', `${limit} is enough`)
    return [{ type: 'Counted', data: { by } }]
  },
  evolve: (total, { data }) => total + data.by,
})

export const freshStream = () => `counter-${randomUUID()}`

export const command = (requestDigest?: string): CommandContext => ({
  commandId: randomUUID(),
  correlationId: 'c',
  causationId: 'c',
  actor: 'test',
  tenant: 'test',
  requestDigest,
})

export const counted = (by: number, commandId = randomUUID() as string): NewEvent<'Counted'> => ({
  id: randomUUID(),
  type: 'Counted',
  data: { by },
  metadata: {
    commandId,
    correlationId: 'c',
    causationId: 'c',
    actor: 'test',
    tenant: 'test',
    occurredAt: new Date().toISOString(),
    schemaVersion: 1,
  },
})

/** A log of its own. */
export async function startLog(t: ExecutionContext): Promise<EventLog> {
  const server = await startEmbeddedEventStore({ port: 0 })
  const log = connectEventLog({ url: server.url })
  t.teardown(async () => {
    await log.close()
    await server.close()
  })
  return log
}

/** The log, and how many events of it have been read. */
export function counting(log: EventLog): { log: EventLog; read(): number } {
  let read = 0
  return {
    read: () => read,
    log: {
      ...log,
      async *readStream(stream, options) {
        for await (const event of log.readStream(stream, options)) {
          read++
          yield event
        }
      },
    },
  }
}

/** Resolves once `check` holds, asked again and again for a bounded time. */
export async function eventually(check: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 10_000
  while (!(await check())) {
    if (Date.now() > giveUpAt) throw new Error('it has not come about')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

import {
  ErrorType,
  type EventStoreDBClient,
  type PersistentSubscriptionToAll,
  type PersistentSubscriptionToAllResolvedEvent,
  persistentSubscriptionToAllSettingsFromDefaults,
  START,
  streamNameFilter,
} from '@eventstore/db-client'
import { errorType } from './client-errors.ts'
import { until } from './condition.ts'
import type { Recorded } from './content.ts'
import type { Random } from './random.ts'

type Answer = 'acknowledged' | 'parked'

/** One group of competing consumers over part of the log, and what it has answered. */
export type Group = {
  create(client: EventStoreDBClient): Promise<void>
  /** What is stored of its progress, as it is after a start: must not be less than anybody has seen, nor may anything before it come again. */
  inspect(client: EventStoreDBClient): Promise<void>
  /** Consumes until the connection ends or `close` is called: acknowledges most, retries and parks a few. `close` throws what went wrong. */
  consume(client: EventStoreDBClient, random: Random): { close(): void }
  /** Consumes until everything has been answered, and its progress stored. @throws when something was lost */
  drain(client: EventStoreDBClient, random: Random): Promise<void>
  /** Has what is parked delivered again, and acknowledges it. @throws when something parked does not come */
  replayParked(client: EventStoreDBClient): Promise<void>
  readonly redelivered: number
}

const DRAIN_WITHIN_MS = 120_000

/** `eventsOf` tells what the log has of streams with these prefixes: ids and positions. */
export function createGroup(name: string, prefixes: readonly string[], eventsOf: () => ReadonlyMap<string, bigint>): Group {
  const parkedStream = `$persistentsubscription-$all::${name}-parked`
  const checkpointStream = `$persistentsubscription-$all::${name}-checkpoint`
  const answers = new Map<string, Answer>()
  /** What the links of parked events say, by the ids of the events. */
  const everParked = new Map<string, string>()
  let parkedSeen: string[] = []
  let checkpoint = -1n
  let redelivered = 0

  async function readCheckpoint(client: EventStoreDBClient): Promise<bigint> {
    for await (const { event } of ofExisting(
      client.readStream(checkpointStream, { direction: 'backwards', fromRevision: 'end', maxCount: 1 }),
    ))
      return BigInt(/\d+/.exec(JSON.stringify(event!.data))![0])
    return -1n
  }

  /** Targets of the links in the stream of parked events. */
  async function readParked(client: EventStoreDBClient): Promise<string[]> {
    const targets: string[] = []
    for await (const { event } of ofExisting(client.readStream(parkedStream)))
      targets.push(Buffer.from(event!.data as Uint8Array).toString())
    return targets
  }

  function consume(client: EventStoreDBClient, floor: bigint, answer: (event: Recorded, retryCount: number) => Answer | 'retried') {
    const subscription: PersistentSubscriptionToAll = client.subscribeToPersistentSubscriptionToAll(name, { bufferSize: 64 })
    const problems: string[] = []
    const handle = async (resolved: PersistentSubscriptionToAllResolvedEvent) => {
      const event = resolved.event!
      if (event.position!.commit <= floor)
        problems.push(`${targetOf(event)} at ${event.position!.commit} came again, though everything up to ${floor} was answered`)
      if (answers.has(event.id)) redelivered += 1
      const chosen = answer(event, resolved.retryCount)
      if (chosen === 'retried') return await subscription.nack('retry', 'not yet', resolved)
      answers.set(event.id, chosen)
      if (chosen === 'acknowledged') return await subscription.ack(resolved)
      everParked.set(event.id, targetOf(event))
      return await subscription.nack('park', 'hopeless', resolved)
    }
    // What is sent after the server has gone is not answered; the event comes again.
    subscription.on('data', (resolved) => void handle(resolved).catch(() => {})).on('error', () => {})
    return {
      problems,
      close() {
        // Of a connection that is gone this never resolves.
        void subscription.unsubscribe().catch(() => {})
        if (problems.length > 0) throw new Error(`${problems.length} events came too often: ${problems[0]}`)
      },
    }
  }

  const whim = (random: Random) => (_: Recorded, retryCount: number) =>
    retryCount === 0 && random.chance(0.05) ? 'retried' : random.chance(0.02) ? 'parked' : 'acknowledged'

  return {
    create: (client) =>
      client.createPersistentSubscriptionToAll(
        name,
        persistentSubscriptionToAllSettingsFromDefaults({
          startFrom: START,
          maxRetryCount: 100,
          messageTimeout: 60_000,
          checkPointAfter: 100,
          checkPointLowerBound: 1,
          checkPointUpperBound: 50,
        }),
        { filter: streamNameFilter({ prefixes: [...prefixes] }) },
      ),
    async inspect(client) {
      const [stored, parked] = [await readCheckpoint(client), await readParked(client)]
      if (stored < checkpoint) throw new Error(`group ${name} had come to ${checkpoint}, and now to ${stored}`)
      checkpoint = stored
      const lost = parkedSeen.find((target, index) => parked[index] !== target)
      if (lost !== undefined) throw new Error(`${lost} was parked, and is so no more`)
      const known = new Set(everParked.values())
      const strange = parked.find((target) => !known.has(target))
      if (strange !== undefined) throw new Error(`nobody parked ${strange}`)
      parkedSeen = parked
    },
    consume: (client, random) => consume(client, checkpoint, whim(random)),
    async drain(client, random) {
      const consumer = consume(client, checkpoint, whim(random))
      try {
        const expected = eventsOf()
        const last = [...expected.values()].reduce((highest, each) => (each > highest ? each : highest), -1n)
        const unanswered = () => [...expected.keys()].filter((id) => !answers.has(id)).length
        await until(
          () => unanswered() === 0,
          () => `${unanswered()} of ${expected.size} events were never delivered`,
          DRAIN_WITHIN_MS,
        )
        const stored = async () => (await readCheckpoint(client)) >= last
        await until(stored, () => `the group's progress is not stored, the last event is at ${last}`, DRAIN_WITHIN_MS)
        const parked = new Set(await readParked(client))
        const lost = [...everParked].find(([id, target]) => answers.get(id) === 'parked' && !parked.has(target))
        if (lost) throw new Error(`${lost[1]} was parked, and is nowhere`)
      } finally {
        consumer.close()
      }
    },
    async replayParked(client) {
      const waiting = new Set(await readParked(client))
      const consumer = consume(client, -1n, (event) => {
        waiting.delete(targetOf(event))
        return 'acknowledged'
      })
      try {
        await client.replayParkedMessagesToAll(name)
        await until(
          () => waiting.size === 0,
          () => `${waiting.size} parked events did not come again`,
          DRAIN_WITHIN_MS,
        )
        parkedSeen = []
      } finally {
        consumer.close()
      }
    },
    get redelivered() {
      return redelivered
    },
  }
}

const targetOf = ({ revision, streamId }: Recorded): string => `${revision}@${streamId}`

/** A stream that does not exist has no events. */
async function* ofExisting<T>(events: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* events
  } catch (error) {
    if (errorType(error) !== ErrorType.STREAM_NOT_FOUND) throw error
  }
}

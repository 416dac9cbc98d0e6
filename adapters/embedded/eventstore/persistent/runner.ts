import { randomUUID } from 'node:crypto'
import type { CommitQueue } from '../log/commit-queue.ts'
import { type ProposedEvent, type RecordedEvent, TOMBSTONE } from '../log/event.ts'
import type { Commit, Log } from '../log/log.ts'
import { compileFilter, everything } from '../streams/filter.ts'
import { readStream, resolveLink } from '../streams/read.ts'
import { allSource, streamSource } from '../streams/source.ts'
import { append, setMetadata } from '../streams/write.ts'
import { checkpointData, loadCheckpoint, loadReplayed } from './checkpoint.ts'
import type { Consumer, Message } from './consumer.ts'
import {
  answered,
  createGroup,
  dispatch,
  expired,
  type Group,
  leave,
  messageOf,
  outstanding,
  park,
  parked,
  replayedUpTo,
  retry,
  settledUpTo,
  urge,
} from './group.ts'
import { ALL, checkpointStreamOf, type GroupConfig, type GroupKey, isGroupStream, parkedStreamOf } from './settings.ts'

export type NackAction = 'park' | 'retry' | 'skip'

/** What a consumer's connection must be able to do. */
export type Connection = {
  /** False when it takes no more until `unblock`. */
  deliver(message: Message): boolean
  drop(): void
}

/** A group at work: it reads its source, delivers, and writes down its checkpoints and what it parks. */
export type Runner = {
  readonly key: GroupKey
  readonly config: GroupConfig
  readonly group: Group
  connect(consumer: Consumer, connection: Connection): void
  disconnect(consumer: Consumer): void
  unblock(consumer: Consumer): void
  ack(consumer: Consumer, ids: readonly string[]): void
  nack(consumer: Consumer, ids: readonly string[], action: NackAction, reason: string): void
  /** Delivers the oldest `count` parked events again. */
  replayParked(count: number): void
  parkedCount(): number
  /** The last checkpoint written. */
  checkpoint(): number | undefined
  onCommit(commit: Commit): void
  /** Timeouts and checkpoints; called often. */
  tick(now: number): void
  /** Drops the consumers and resolves when the progress is stored. */
  stop(): Promise<void>
}

/** What may be written to connections before they are asked whether they can take it. */
const DELIVERIES_PER_TURN = 64

/** How a parked event says why it is there. */
const REASONS = { nack: "Client explicitly NAK'ed message.\n", exhausted: 'Reached retry count of ' }

export function startRunner(log: Log, commits: CommitQueue, key: GroupKey, config: GroupConfig, report: (line: string) => void): Runner {
  const { settings } = config
  const group = createGroup(settings)
  const connections = new Map<Consumer, Connection>()
  const filter = config.filter ? compileFilter(config.filter) : everything
  const parkedStream = parkedStreamOf(key)
  const checkpointStream = checkpointStreamOf(key)
  let checkpoint = loadCheckpoint(log, key)
  const after = checkpoint ?? config.after
  const source = key.source === ALL ? allSource(log, after) : streamSource(log, key.source, after)
  const bufferSize = Math.max(1, settings.historyBufferSize)
  const batchSize = Math.max(1, Math.min(settings.readBatchSize, bufferSize))

  /** Events considered since the last checkpoint, apart from those of groups: a checkpoint must not be the cause of another. */
  let considered = 0
  let checkpointDue = 0
  let storing: Promise<unknown> = Promise.resolve()
  let writing = false
  let replayed = loadReplayed(log, key)
  let replayUntil = replayed
  let truncatedBefore = replayed + 1
  let scheduled = false
  let stopped = false

  /** Once per turn of the event loop, so that a large group does not keep others waiting. */
  function schedule(): void {
    if (scheduled || stopped) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      if (!stopped) pump()
    })
  }

  function pump(): void {
    if (group.consumers.length === 0) return
    const more = readReplayed() || readSource()
    const delivered = handOut()
    if (delivered === DELIVERIES_PER_TURN || (more && group.waiting.length < bufferSize)) schedule()
  }

  /** Returns how many messages went out. */
  function handOut(): number {
    const deliveries = dispatch(group, Date.now(), DELIVERIES_PER_TURN)
    for (const { consumer, message } of deliveries) if (!connections.get(consumer)!.deliver(message)) consumer.blocked = true
    return deliveries.length
  }

  function readSource(): boolean {
    if (group.waiting.length >= bufferSize) return false
    const { events, more } = source.take(batchSize)
    for (const event of events) {
      if (!isGroupStream(event.stream)) considered += 1
      if (wanted(event)) group.waiting.push(messageOf(resolve(event), { key: source.keyOf(event) }))
    }
    return more
  }

  const wanted = (event: RecordedEvent): boolean =>
    filter(event) &&
    event.stream !== checkpointStream &&
    event.stream !== parkedStream &&
    (key.source === ALL || event.revision !== TOMBSTONE)

  const resolve = (event: RecordedEvent) => (settings.resolveLinks ? resolveLink(log, event, Date.now()) : { event })

  function readReplayed(): boolean {
    if (replayed >= replayUntil || group.urgent.length >= bufferSize) return false
    const count = Math.min(batchSize, replayUntil - replayed)
    const [events = []] = readStream(log, parkedStream, { from: replayed + 1, direction: 'forwards', count, now: Date.now() })
    urge(
      group,
      events.map((event) => messageOf(resolveLink(log, event, Date.now()), { parkedRevision: event.revision })),
    )
    replayed = events.at(-1)?.revision ?? replayUntil
    return replayed < replayUntil
  }

  function parkAll(messages: readonly Message[], reason: string): void {
    for (const message of messages) {
      const event = {
        id: randomUUID(),
        type: '$>',
        json: false,
        data: Buffer.from(targetOf(message)),
        metadata: Buffer.from(JSON.stringify({ added: new Date().toISOString(), reason })),
      }
      write(() => appendOwn(parkedStream, event)).then(() => {
        parked(group, message)
        settleReplayed()
        schedule()
      }, failed)
    }
  }

  /** A message that is parked again keeps the place that it was first parked for. */
  function targetOf({ resolved, parkedRevision }: Message): string {
    const original = (resolved.link ?? resolved.event) as RecordedEvent
    return parkedRevision === undefined ? `${original.revision}@${original.stream}` : Buffer.from(original.data).toString()
  }

  /** Parked events that were replayed are forgotten once they are settled, not before: a crash must not lose them. */
  function settleReplayed(): void {
    const first = replayedUpTo(group, replayed) + 1
    if (first <= truncatedBefore) return
    truncatedBefore = first
    write(() => setMetadata(log, parkedStream, Buffer.from(JSON.stringify({ $tb: first })), Date.now())).catch(failed)
  }

  function markCheckpoint(): void {
    const settled = settledUpTo(group, source.last())
    if (writing || settled <= (checkpoint ?? config.after)) return
    writing = true
    considered = outstanding(group).length
    const event = {
      id: randomUUID(),
      type: 'SubscriptionCheckpoint',
      json: true,
      data: checkpointData(key.source, settled),
      metadata: new Uint8Array(),
    }
    write(() => appendOwn(checkpointStream, event)).then(
      () => {
        writing = false
        checkpoint = settled
      },
      (error) => {
        writing = false
        failed(error)
      },
    )
  }

  /** A group of that name may have been deleted before, and its streams with it: they come back as any other does. */
  function appendOwn(stream: string, event: ProposedEvent): void {
    const { kind } = append(log, stream, 'any', [event], Date.now())
    if (kind !== 'appended') throw new Error(`${stream} has been deleted for ever`)
  }

  function write<T>(work: () => T): Promise<T> {
    const written = commits.submit(work)
    storing = Promise.allSettled([storing, written])
    return written
  }

  const failed = (error: unknown) =>
    report(`group ${key.name} on ${key.source}: ${error instanceof Error ? error.message : 'the store failed'}`)

  function settled(messages: readonly Message[]): void {
    if (messages.some(({ parkedRevision }) => parkedRevision !== undefined)) settleReplayed()
    if (considered >= settings.maxCheckpointCount && settings.maxCheckpointCount > 0) markCheckpoint()
    schedule()
  }

  function again(messages: readonly Message[]): void {
    parkAll(retry(group, messages), `${REASONS.exhausted}${settings.maxRetryCount}`)
    schedule()
  }

  return {
    key,
    config,
    group,
    connect(consumer, connection) {
      group.consumers.push(consumer)
      connections.set(consumer, connection)
      schedule()
    },
    disconnect(consumer) {
      if (!connections.delete(consumer)) return
      again(leave(group, consumer))
    },
    unblock(consumer) {
      consumer.blocked = false
      schedule()
    },
    // What an answer makes room for goes out before the next answer is looked at, so that a retry does not overtake what was due before it.
    ack(consumer, ids) {
      settled(answered(group, consumer, ids))
      handOut()
    },
    nack(consumer, ids, action, reason) {
      const messages = answered(group, consumer, ids)
      if (action === 'retry') again(messages)
      else if (action === 'skip') settled(messages)
      else {
        park(group, messages)
        parkAll(messages, REASONS.nack + reason)
      }
      handOut()
    },
    replayParked(count) {
      replayUntil = Math.min(log.lastRevision(parkedStream), replayed + count)
      schedule()
    },
    parkedCount: () => Math.max(0, log.lastRevision(parkedStream) - replayed),
    checkpoint: () => checkpoint,
    onCommit(commit) {
      if (source.concerns(commit)) schedule()
    },
    tick(now) {
      const late = expired(group, now)
      if (late.length > 0) again(late)
      if (now < checkpointDue) return
      checkpointDue = now + settings.checkpointAfterMs
      if (considered >= settings.minCheckpointCount) markCheckpoint()
    },
    async stop() {
      stopped = true
      for (const connection of connections.values()) connection.drop()
      connections.clear()
      // A checkpoint that is being written is not the last one.
      await storing
      markCheckpoint()
      await storing
    },
  }
}

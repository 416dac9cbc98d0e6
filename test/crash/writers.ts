import { ErrorType, type EventStoreDBClient } from '@eventstore/db-client'
import { errorType, isNoAnswer } from './client-errors.ts'
import { type Content, eventOf, randomContent } from './content.ts'
import type { Attempt, Expected, Ledger } from './ledger.ts'
import type { Random } from './random.ts'

/** What writers need: where to append, where to note it, and when to stop. */
export type Load = {
  client: EventStoreDBClient
  ledger: Ledger
  random: Random
  /** Revision of the last event of a stream when the load began; -1 of one that does not exist. */
  lastRevision(stream: string): bigint
  acknowledged(): void
  stopped(): boolean
}

/** With these (which a server without TLS is never sent) the client appends by the classic call, without by the batch one. */
export const CLASSIC = { credentials: { username: 'admin', password: 'changeit' } }

/** Every writer ends soon after the load has stopped. A writer's streams begin with its name, so that its failures can be told. */
export const WRITERS = { sequential, pipelined, shared, contended, scattered }

/** One stream of its own, each append at the exact revision once the one before is acknowledged; some are sent again later on. */
async function sequential(load: Load, prefix: string): Promise<void> {
  const { random } = load
  const stream = `${prefix}sequential-${random.below(4)}`
  let last = await resume(load, stream)
  while (!load.stopped()) {
    const attempt = begin(load, stream, last, random.chance(0.2) ? 2 + random.below(30) : 1)
    const call = random.chance(0.3) ? CLASSIC : {}
    await send(load, attempt, call)
    if (attempt.answer.kind !== 'acknowledged') return refusedOrStopped(attempt)
    last = attempt.answer.revision
    if (random.chance(0.1)) await again(load, attempt)
    const earlier = random.chance(0.1) ? load.ledger.recent(stream, random.below(20)) : undefined
    if (earlier) await again(load, earlier)
  }
}

/** One stream of its own, many appends on the way at once, each at the revision that the one before will leave. */
async function pipelined(load: Load, prefix: string): Promise<void> {
  const { random } = load
  const stream = `${prefix}pipelined-${random.below(3)}`
  let last = await resume(load, stream)
  while (!load.stopped()) {
    const attempts = Array.from({ length: 24 }, () => {
      const attempt = begin(load, stream, last, random.chance(0.1) ? 2 + random.below(8) : 1)
      last += BigInt(attempt.events.length)
      return attempt
    })
    await Promise.all(attempts.map((attempt) => send(load, attempt)))
    for (const attempt of attempts) if (attempt.answer.kind !== 'acknowledged') return refusedOrStopped(attempt)
  }
}

/** A few streams for everybody, at whatever revision; some appends are sent twice at the same time. */
async function shared(load: Load, prefix: string): Promise<void> {
  const { random } = load
  for (const number of [0, 1, 2]) await resume(load, `${prefix}shared-${number}`)
  while (!load.stopped()) {
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        const attempt = begin(load, `${prefix}shared-${random.below(3)}`, 'any', random.chance(0.1) ? 200 : 1 + random.below(3))
        const twice = random.chance(0.1)
        await Promise.all([send(load, attempt), twice ? again(load, attempt) : undefined])
        if (twice) forgetPosition(attempt)
        refusedOrStopped(attempt)
      }),
    )
  }
}

/** Several at once at the revision that each of them believes is the last: one wins. */
async function contended(load: Load, prefix: string): Promise<void> {
  const { random } = load
  const stream = `${prefix}contended`
  let last = await resume(load, stream)
  while (!load.stopped()) {
    const attempts = Array.from({ length: 4 }, () => begin(load, stream, last, 1 + random.below(3)))
    await Promise.all(attempts.map((attempt) => send(load, attempt)))
    const winners = attempts.filter(({ answer }) => answer.kind === 'acknowledged')
    if (attempts.some(({ answer }) => answer.kind === 'unknown')) return
    if (winners.length !== 1) throw new Error(`of four appends at ${last} of ${stream}, ${winners.length} won`)
    last += BigInt(winners[0]!.events.length)
  }
}

/** Many streams that did not exist before. */
async function scattered(load: Load, prefix: string): Promise<void> {
  const { random } = load
  while (!load.stopped()) {
    const attempts = Array.from({ length: 16 }, () => begin(load, `${prefix}scattered-${random.uuid()}`, -1n, 1 + random.below(4)))
    await Promise.all(attempts.map((attempt) => send(load, attempt)))
    attempts.forEach(refusedOrStopped)
    // Nobody comes back to these streams.
    for (const attempt of attempts) if (attempt.answer.kind === 'unknown') load.ledger.forget(attempt)
  }
}

/**
 * Sends everything again that was not answered before the server went, with the same ids at the same revision: each comes to be in the log
 * once, except where another append has won. Returns the last revision of the stream.
 */
async function resume(load: Load, stream: string): Promise<bigint> {
  let last = load.lastRevision(stream)
  for (const attempt of load.ledger.unanswered(stream)) {
    const written = attempt.first
    await send(load, attempt)
    const { answer } = attempt
    forgetPosition(attempt)
    if (answer.kind === 'refused' && written !== undefined)
      throw new Error(`an append that is at ${written} of ${stream} was refused when sent again`)
    if (answer.kind !== 'acknowledged') continue
    if (answer.revision > last) last = answer.revision
  }
  return last
}

function begin({ ledger, random }: Load, stream: string, last: bigint | 'any', count: number): Attempt {
  const expected: Expected = last === -1n ? 'no_stream' : last
  const largest = count > 40 ? 500 : 10_000
  const [first, ...rest] = Array.from({ length: count }, () => randomContent(random)) as [Content, ...Content[]]
  // All together they are no larger than an append may be.
  return ledger.begin(stream, expected, [first, ...rest.map((content) => ({ ...content, size: content.size % largest }))])
}

/** Sends an append and notes the answer. A lost connection is no answer. */
async function send({ client, acknowledged }: Load, attempt: Attempt, call: object = {}): Promise<void> {
  attempt.answer = await append(client, attempt, call)
  if (attempt.answer.kind === 'acknowledged') acknowledged()
}

/** Sends an append again that is, or is being, acknowledged: the answer is the same. */
async function again({ client }: Load, attempt: Attempt): Promise<void> {
  const answer = await append(client, attempt, {})
  if (answer.kind === 'refused') throw new Error(`an append to ${attempt.stream} was refused when sent again`)
  if (answer.kind !== 'acknowledged' || attempt.answer.kind !== 'acknowledged') return
  if (answer.revision !== attempt.answer.revision)
    throw new Error(`an append to ${attempt.stream} at ${attempt.answer.revision} was at ${answer.revision} when sent again`)
}

async function append(client: EventStoreDBClient, { stream, expected, events }: Attempt, call: object): Promise<Attempt['answer']> {
  try {
    const { nextExpectedRevision, position } = await client.appendToStream(stream, events.map(eventOf), {
      expectedRevision: expected,
      ...call,
    })
    return { kind: 'acknowledged', revision: nextExpectedRevision, position: position?.commit }
  } catch (error) {
    if (errorType(error) === ErrorType.WRONG_EXPECTED_VERSION) return { kind: 'refused' }
    if (isNoAnswer(error)) return { kind: 'unknown' }
    throw error
  }
}

/** The answer to an append that was there already need not tell its position. */
function forgetPosition(attempt: Attempt): void {
  if (attempt.answer.kind === 'acknowledged') attempt.answer = { ...attempt.answer, position: undefined }
}

/** Alone on its stream, nobody is refused. */
function refusedOrStopped({ answer, stream, expected }: Attempt): void {
  if (answer.kind === 'refused') throw new Error(`an append to ${stream} at ${expected} was refused, though nobody else writes there`)
}

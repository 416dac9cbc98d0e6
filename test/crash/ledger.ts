import { type Content, isIntact, type Recorded } from './content.ts'

export type Expected = 'any' | 'no_stream' | bigint

/** What the server answered to an append, last: `unknown` is no answer, so that it may have happened. */
export type Answer = { kind: 'unknown' } | { kind: 'refused' } | { kind: 'acknowledged'; revision: bigint; position: bigint | undefined }

/** One append, however often it was sent. */
export type Attempt = {
  readonly stream: string
  readonly expected: Expected
  readonly events: readonly [Content, ...Content[]]
  answer: Answer
  /** Where the log has its first event. */
  first: bigint | undefined
}

/** What was appended, and what became of it: the memory of the writers, against which the log is held. */
export type Ledger = {
  /** Notes an append before it is sent. */
  begin(stream: string, expected: Expected, events: readonly [Content, ...Content[]]): Attempt
  /** Takes the next event of the log of all streams. @throws when it may not be there */
  see(event: Recorded): void
  /** At the end of the log: everything that was acknowledged has been seen. @throws when not */
  settle(): void
  /** Appends to a stream without an answer so far, in their order. */
  unanswered(stream: string): Attempt[]
  /** Nobody will send it again: whether it happened is as the log has it. */
  forget(attempt: Attempt): void
  /** One that was acknowledged earlier, to be sent again: the n-th before the last. */
  recent(stream: string, n: number): Attempt | undefined
  readonly acknowledgedEvents: number
}

/** Acknowledged appends that are remembered for sending them again, of each stream. */
const RECENT = 32

export function createLedger(): Ledger {
  const byId = new Map<string, { attempt: Attempt; index: number }>()
  const open = new Set<Attempt>()
  const forgotten = new Set<Attempt>()
  const recent = new Map<string, Attempt[]>()
  /** The append whose events are being seen, and how many of them have been. */
  let passing: { attempt: Attempt; seen: number } | undefined
  let acknowledgedEvents = 0

  const fail = (what: string, { stream, expected, events, answer, first }: Attempt): never => {
    const text = JSON.stringify({ stream, expected, events, answer, first }, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
    throw new Error(`${what}: ${text}`)
  }

  return {
    begin(stream, expected, events) {
      const attempt: Attempt = { stream, expected, events, answer: { kind: 'unknown' }, first: undefined }
      for (const [index, { id }] of events.entries()) byId.set(id, { attempt, index })
      open.add(attempt)
      return attempt
    },
    see(event) {
      const known = byId.get(event.id)
      if (!known) throw new Error(`nobody appended event ${event.id}, which is at ${event.streamId} ${event.revision}`)
      const { attempt, index } = known
      if (attempt.answer.kind === 'refused') fail('an append that was refused or never sent again is in the log', attempt)
      if (event.streamId !== attempt.stream) fail(`an event is in stream ${event.streamId}`, attempt)
      if (!isIntact(attempt.events[index]!, event)) fail(`event ${event.id} is not what was appended`, attempt)
      if (index === 0) {
        if (passing) fail('an append is torn', passing.attempt)
        if (attempt.first !== undefined) fail(`an append is in the log twice, the second time at ${event.revision}`, attempt)
        if (
          attempt.expected === 'no_stream' ? event.revision !== 0n : attempt.expected !== 'any' && event.revision !== attempt.expected + 1n
        )
          fail(`an append is at ${event.revision}`, attempt)
        attempt.first = event.revision
      } else if (passing?.attempt !== attempt || passing.seen !== index) fail(`an append is torn before its event ${index}`, attempt)
      passing = index + 1 < attempt.events.length ? { attempt, seen: index + 1 } : undefined
      if (
        !passing &&
        attempt.answer.kind === 'acknowledged' &&
        attempt.answer.position !== undefined &&
        event.position?.commit !== attempt.answer.position
      )
        fail(`an append is at position ${event.position?.commit}`, attempt)
    },
    settle() {
      if (passing) fail('the last append is torn', passing.attempt)
      for (const attempt of open) {
        const { answer, first, stream, events } = attempt
        if (answer.kind === 'unknown') {
          if (!forgotten.delete(attempt)) continue
          if (first === undefined) attempt.answer = { kind: 'refused' }
        }
        open.delete(attempt)
        if (answer.kind !== 'acknowledged') continue
        if (first === undefined) fail('an acknowledged append is lost', attempt)
        if (answer.revision !== first! + BigInt(events.length - 1)) fail('an append is elsewhere than acknowledged', attempt)
        acknowledgedEvents += events.length
        recent.set(stream, [...(recent.get(stream) ?? []), attempt].slice(-RECENT))
      }
    },
    unanswered: (stream) => [...open].filter((attempt) => attempt.stream === stream && attempt.answer.kind === 'unknown'),
    forget: (attempt) => forgotten.add(attempt),
    recent: (stream, n) => recent.get(stream)?.at(-1 - n),
    get acknowledgedEvents() {
      return acknowledgedEvents
    },
  }
}

import { randomUUID } from 'node:crypto'
import type { EventStoreDBClient } from '@eventstore/db-client'
import type { ClientDuplexStream } from '@grpc/grpc-js'
import { type Appended, type ExpectedRevision, Unavailable, WrongExpectedRevision } from '../../domain/ports/event-log.ts'
import { type AppendAnswer, decodeAppendAnswer, encodeAppendRequest, type Proposed } from './append-messages.ts'
import { leaveNode, openCall } from './connection.ts'

export type Appends = {
  /** @throws WrongExpectedRevision, Unavailable */
  append(stream: string, expected: ExpectedRevision, events: readonly Proposed[]): Promise<Appended>
  close(): void
}

type Call = ClientDuplexStream<Buffer, AppendAnswer>
type Waiting = { stream: string; resolve(appended: Appended): void; reject(error: unknown): void }
type Line = {
  opening: Promise<Call>
  waiting: Map<string, Waiting>
  lose(cause: unknown): void
  /** Loses the call and gives up the node that it goes to. */
  leave(cause: unknown): void
}

/** Appends under way at once; more are refused, because nothing comes of holding more for a store that does not answer. */
const MAX_WAITING = 10_000

const PATH = '/event_store.client.streams.Streams/BatchAppend'
const asItIs = (request: Buffer) => request

/**
 * Appends over one long-lived call (BatchAppend), as the official client does; but the client's own keeps the appends of all its instances
 * in one place, so that a call that is lost fails those of every other, and cannot do without an answer to each. Here a call that is lost,
 * or leaves one append unanswered for `deadlineMs`, fails those that wait on it alone, and the next append opens another.
 */
export function openAppends(client: EventStoreDBClient, { deadlineMs }: { deadlineMs: number }): Appends {
  let line: Line | undefined

  function openLine(): Line {
    const waiting = new Map<string, Waiting>()
    const opening = openCall(client, 'append', (service, metadata, options) =>
      service.makeBidiStreamRequest(PATH, asItIs, decodeAppendAnswer, metadata, options),
    )
    const opened: Line = {
      opening,
      waiting,
      lose(cause) {
        if (line === opened) line = undefined
        for (const { reject } of waiting.values()) reject(new Unavailable('eventstore', { cause }))
        waiting.clear()
        opening.then((call) => call.cancel()).catch(() => {})
      },
      leave(cause) {
        opened.lose(cause)
        leaveNode(client).catch(() => {})
      },
    }
    opening.then(
      (call) =>
        call
          .on('data', (answer: AppendAnswer) => settle(opened, answer))
          .on('error', opened.lose)
          .on('end', opened.lose),
      opened.lose,
    )
    return opened
  }

  return {
    async append(stream, expected, events) {
      line ??= openLine()
      const { opening, waiting, lose } = line
      if (waiting.size >= MAX_WAITING) throw new Unavailable('eventstore')
      const id = randomUUID()
      // Before it is written: what is no JSON fails this append alone.
      const request = encodeAppendRequest({ id, stream, expected, events, deadline: Date.now() + deadlineMs })
      const answer = new Promise<Appended>((resolve, reject) => waiting.set(id, { stream, resolve, reject }))
      const overdue = setTimeout(() => lose(new Error(`no answer in ${deadlineMs} ms`)), deadlineMs)
      opening.then((call) => waiting.has(id) && call.write(request)).catch(() => {})
      try {
        return await answer
      } finally {
        clearTimeout(overdue)
      }
    },

    close() {
      line?.lose(new Error('the event log was closed'))
    },
  }
}

/** What refuses an append for good; whatever else an error says, the same may be stored the next time. */
const REFUSALS = new Set(['StreamDeleted', 'AccessDenied', 'MaximumAppendSizeExceeded', 'BadRequest', 'InvalidTransaction'])
/** A node that is not ready, too busy or without a leader says so without details. */
const NOT_HANDLED = 'Empty'

function settle({ waiting, leave }: Line, { id, appended, refusal }: AppendAnswer): void {
  const asked = waiting.get(id)
  if (!asked) return
  waiting.delete(id)
  if (appended) {
    asked.resolve(appended)
    return
  }
  const error = errorOf(asked.stream, refusal)
  asked.reject(error)
  if (refusal?.kind === NOT_HANDLED) leave(error)
}

/** Why nothing was appended, or nobody knows whether it was. */
function errorOf(stream: string, refusal: AppendAnswer['refusal']): Error {
  const { kind, message = '' } = refusal ?? {}
  if (kind === 'WrongExpectedVersion') return new WrongExpectedRevision(stream)
  const reason = new Error(`the event store did not append to ${stream}: ${kind ?? 'no position'} ${message}`)
  return !refusal || (kind && REFUSALS.has(kind)) ? reason : new Unavailable('eventstore', { cause: reason })
}

import { randomUUID } from 'node:crypto'
import type { EventStoreDBClient } from '@eventstore/db-client'
import type { UUID } from '@eventstore/db-client/generated/shared_pb.js'
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js'
import type { ClientDuplexStream } from '@grpc/grpc-js'
import { stringify } from 'uuid'
import { type Appended, type ExpectedRevision, type NewEvent, Unavailable, WrongExpectedRevision } from '../../domain/ports/event-log.ts'
import { Empty, openCall, shared, streams, Timestamp } from './connection.ts'

export type Appends = {
  /** @throws WrongExpectedRevision, Unavailable */
  append(stream: string, expected: ExpectedRevision, events: readonly Proposed[]): Promise<Appended>
  close(): void
}

/** An event to append; what only the log itself reads needs no metadata. */
type Proposed = Omit<NewEvent, 'metadata'> & { metadata: object }

type Call = ClientDuplexStream<BatchAppendReq, BatchAppendResp>
type Waiting = { stream: string; resolve(appended: Appended): void; reject(error: unknown): void }
type Line = { opening: Promise<Call>; waiting: Map<string, Waiting>; lose(cause: unknown): void }

/** Appends under way at once; more are refused, because nothing comes of holding more for a store that does not answer. */
const MAX_WAITING = 10_000

/**
 * Appends over one long-lived call (BatchAppend), as the official client does; but the client's own keeps the appends of all its instances
 * in one place, so that a call that is lost fails those of every other, and cannot do without an answer to each. Here a call that is lost,
 * or leaves one append unanswered for `deadlineMs`, fails those that wait on it alone, and the next append opens another.
 */
export function openAppends(client: EventStoreDBClient, { deadlineMs }: { deadlineMs: number }): Appends {
  let line: Line | undefined

  function openLine(): Line {
    const waiting = new Map<string, Waiting>()
    const opening = openCall(client, 'append', (service, metadata, options) => service.batchAppend(metadata, options))
    const opened: Line = {
      opening,
      waiting,
      lose(cause) {
        if (line === opened) line = undefined
        for (const { reject } of waiting.values()) reject(new Unavailable('eventstore', { cause }))
        waiting.clear()
        opening.then((call) => call.cancel()).catch(() => {})
      },
    }
    opening.then(
      (call) =>
        call
          .on('data', (answer: BatchAppendResp) => settle(waiting, answer))
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
      const request = appendRequest(id, { stream, expected, events, deadlineMs })
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

function settle(waiting: Map<string, Waiting>, answer: BatchAppendResp): void {
  const id = uuidText(answer.getCorrelationId())
  const asked = waiting.get(id)
  if (!asked) return
  waiting.delete(id)
  const success = answer.getSuccess()
  const position = success?.getPosition()
  if (success && position) asked.resolve({ revision: BigInt(success.getCurrentRevision()), position: BigInt(position.getCommitPosition()) })
  else asked.reject(refusal(asked.stream, answer))
}

/** Why nothing was appended, or nobody knows whether it was. */
function refusal(stream: string, answer: BatchAppendResp): Error {
  const error = answer.getError()
  const kind = error?.getDetails()?.getTypeName().split('.').at(-1)
  if (kind === 'WrongExpectedVersion') return new WrongExpectedRevision(stream)
  const reason = new Error(`the event store did not append to ${stream}: ${kind ?? 'no position'} ${error?.getMessage() ?? ''}`)
  return kind === 'Timeout' || kind === 'Unknown' ? new Unavailable('eventstore', { cause: reason }) : reason
}

function appendRequest(
  id: string,
  { stream, expected, events, deadlineMs }: { stream: string; expected: ExpectedRevision; events: readonly Proposed[]; deadlineMs: number },
): BatchAppendReq {
  const options = new streams.BatchAppendReq.Options()
  const identifier = new shared.StreamIdentifier()
  identifier.setStreamName(Buffer.from(stream))
  options.setStreamIdentifier(identifier)
  options.setDeadline(Timestamp.fromDate(new Date(Date.now() + deadlineMs)))
  if (expected === 'any') options.setAny(new Empty())
  else if (expected === 'no_stream') options.setNoStream(new Empty())
  else options.setStreamPosition(String(expected))
  const request = new streams.BatchAppendReq()
  request.setOptions(options)
  request.setCorrelationId(uuid(id))
  request.setProposedMessagesList(events.map(proposed))
  request.setIsFinal(true)
  return request
}

function proposed({ id, type, data, metadata }: Proposed): BatchAppendReq.ProposedMessage {
  const message = new streams.BatchAppendReq.ProposedMessage()
  message.setId(uuid(id))
  message.getMetadataMap().set('type', type).set('content-type', 'application/json')
  message.setData(Buffer.from(JSON.stringify(data)))
  message.setCustomMetadata(Buffer.from(JSON.stringify(metadata)))
  return message
}

function uuid(text: string): UUID {
  const message = new shared.UUID()
  message.setString(text)
  return message
}

/** A server may answer in the other of the two forms that a UUID has. */
function uuidText(message: UUID | undefined): string {
  const halves = message?.getStructured()
  if (!halves) return message?.getString() ?? ''
  const bytes = Buffer.alloc(16)
  bytes.writeBigInt64BE(BigInt.asIntN(64, BigInt(halves.getMostSignificantBits())))
  bytes.writeBigInt64BE(BigInt.asIntN(64, BigInt(halves.getLeastSignificantBits())), 8)
  return stringify(bytes)
}

import { randomUUID } from 'node:crypto'
import type { EventStoreDBClient } from '@eventstore/db-client'
import type { UUID } from '@eventstore/db-client/generated/shared_pb.js'
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js'
import type { ClientDuplexStream } from '@grpc/grpc-js'
import { stringify } from 'uuid'
import { type Appended, type ExpectedRevision, type NewEvent, Unavailable, WrongExpectedRevision } from '../../domain/ports/event-log.ts'
import { Empty, leaveNode, openCall, shared, streams, Timestamp } from './connection.ts'

export type Appends = {
  /** @throws WrongExpectedRevision, Unavailable */
  append(stream: string, expected: ExpectedRevision, events: readonly Proposed[]): Promise<Appended>
  close(): void
}

/** An event to append; what only the log itself reads needs no metadata. */
type Proposed = Omit<NewEvent, 'metadata'> & { metadata: object }

type Call = ClientDuplexStream<BatchAppendReq, BatchAppendResp>
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
      leave(cause) {
        opened.lose(cause)
        leaveNode(client).catch(() => {})
      },
    }
    opening.then(
      (call) =>
        call
          .on('data', (answer: BatchAppendResp) => settle(opened, answer))
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

/** What refuses an append for good; whatever else an error says, the same may be stored the next time. */
const REFUSALS = new Set(['StreamDeleted', 'AccessDenied', 'MaximumAppendSizeExceeded', 'BadRequest', 'InvalidTransaction'])
/** A node that is not ready, too busy or without a leader says so without details. */
const NOT_HANDLED = 'Empty'

function settle({ waiting, leave }: Line, answer: BatchAppendResp): void {
  const id = uuidText(answer.getCorrelationId())
  const asked = waiting.get(id)
  if (!asked) return
  waiting.delete(id)
  const success = answer.getSuccess()
  const position = success?.getPosition()
  if (success && position) {
    asked.resolve({ revision: BigInt(success.getCurrentRevision()), position: BigInt(position.getCommitPosition()) })
    return
  }
  const { kind, error } = refusal(asked.stream, answer)
  asked.reject(error)
  if (kind === NOT_HANDLED) leave(error)
}

/** Why nothing was appended, or nobody knows whether it was. */
function refusal(stream: string, answer: BatchAppendResp): { kind: string | undefined; error: Error } {
  const status = answer.getError()
  const kind = status?.getDetails()?.getTypeName().split('.').at(-1)
  if (kind === 'WrongExpectedVersion') return { kind, error: new WrongExpectedRevision(stream) }
  const reason = new Error(`the event store did not append to ${stream}: ${kind ?? 'no position'} ${status?.getMessage() ?? ''}`)
  return { kind, error: !status || (kind && REFUSALS.has(kind)) ? reason : new Unavailable('eventstore', { cause: reason }) }
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

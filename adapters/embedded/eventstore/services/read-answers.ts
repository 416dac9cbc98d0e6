import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js'
import type { ResolvedEvent } from '../streams/read.ts'
import { streams } from './generated.ts'
import { fillRecorded, originalOf, revisionText, streamIdentifier } from './mapping.ts'

/** What the answers of a read or a subscription can be. */

export function eventAnswer(resolved: ResolvedEvent, structuredIds: boolean): ReadResp {
  const { ReadEvent } = streams.ReadResp
  const message = new ReadEvent()
  if (resolved.event) message.setEvent(fillRecorded(new ReadEvent.RecordedEvent(), resolved.event, structuredIds))
  if (resolved.link) message.setLink(fillRecorded(new ReadEvent.RecordedEvent(), resolved.link, structuredIds))
  message.setCommitPosition(String(originalOf(resolved).position))
  const response = new streams.ReadResp()
  response.setEvent(message)
  return response
}

export function notFoundAnswer(stream: string): ReadResp {
  const message = new streams.ReadResp.StreamNotFound()
  message.setStreamIdentifier(streamIdentifier(stream))
  const response = new streams.ReadResp()
  response.setStreamNotFound(message)
  return response
}

export function firstRevisionAnswer(revision: number): ReadResp {
  const response = new streams.ReadResp()
  response.setFirstStreamPosition(revisionText(revision))
  return response
}

export function lastRevisionAnswer(revision: number): ReadResp {
  const response = new streams.ReadResp()
  response.setLastStreamPosition(revisionText(revision))
  return response
}

export function confirmationAnswer(id: string): ReadResp {
  const message = new streams.ReadResp.SubscriptionConfirmation()
  message.setSubscriptionId(id)
  const response = new streams.ReadResp()
  response.setConfirmation(message)
  return response
}

export function checkpointAnswer(position: number): ReadResp {
  const message = new streams.ReadResp.Checkpoint()
  message.setCommitPosition(String(position))
  message.setPreparePosition(String(position))
  const response = new streams.ReadResp()
  response.setCheckpoint(message)
  return response
}

export function caughtUpAnswer(): ReadResp {
  const response = new streams.ReadResp()
  response.setCaughtUp(new streams.ReadResp.CaughtUp())
  return response
}

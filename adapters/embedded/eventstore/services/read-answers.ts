import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js'
import { streams } from './generated.ts'
import { revisionText, streamIdentifier } from './mapping.ts'

/** What a read or a subscription can answer apart from events. */

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

import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js'
import { frame } from '../grpc/messages.ts'
import { streams } from './generated.ts'
import { revisionText, streamIdentifier } from './mapping.ts'

/** What a read or a subscription can answer apart from events, framed. */

export function notFoundAnswer(stream: string): Buffer {
  return answer((response) => {
    const message = new streams.ReadResp.StreamNotFound()
    message.setStreamIdentifier(streamIdentifier(stream))
    response.setStreamNotFound(message)
  })
}

export const firstRevisionAnswer = (revision: number) => answer((response) => response.setFirstStreamPosition(revisionText(revision)))

export const lastRevisionAnswer = (revision: number) => answer((response) => response.setLastStreamPosition(revisionText(revision)))

export function confirmationAnswer(id: string): Buffer {
  return answer((response) => {
    const message = new streams.ReadResp.SubscriptionConfirmation()
    message.setSubscriptionId(id)
    response.setConfirmation(message)
  })
}

export function checkpointAnswer(position: number): Buffer {
  return answer((response) => {
    const message = new streams.ReadResp.Checkpoint()
    message.setCommitPosition(String(position))
    message.setPreparePosition(String(position))
    response.setCheckpoint(message)
  })
}

export const caughtUpAnswer = () => answer((response) => response.setCaughtUp(new streams.ReadResp.CaughtUp()))

function answer(fill: (response: ReadResp) => void): Buffer {
  const response = new streams.ReadResp()
  fill(response)
  return frame(response.serializeBinary())
}

import { randomUUID } from 'node:crypto'
import type { Call, Handler, Requests } from '../grpc/call.ts'
import { frame } from '../grpc/messages.ts'
import type { Consumer } from '../persistent/consumer.ts'
import type { NackAction, Runner } from '../persistent/runner.ts'
import { ALL } from '../persistent/settings.ts'
import type { PersistentSubscriptions } from '../persistent/subsystem.ts'
import { type ConsumerRequest, decodeConsumerRequest } from './consumer-request.ts'
import { decoded } from './decoded.ts'
import { BadRequest, groupDropped, groupNotFound, maximumSubscribersReached } from './errors.ts'
import { encodeEventAnswer } from './event-encoding.ts'
import { persistent } from './generated.ts'
import { streamName } from './mapping.ts'

/** However large a buffer a consumer asks for, it is given no more events at a time. */
const MOST_CAPACITY = 10_000

/** One consumer: its first request says which group it joins, the others answer the events that it is sent. */
export function serveConsumer(groups: PersistentSubscriptions): Handler {
  return (call) => consume(call, groups)
}

function consume(call: Call, groups: PersistentSubscriptions): Requests {
  let joined: { runner: Runner; consumer: Consumer } | undefined

  function join({ stream, group, bufferSize, structuredIds }: Extract<ConsumerRequest, { kind: 'join' }>): void {
    const key = { source: stream === undefined ? ALL : streamName(stream), name: group }
    const runner = groups.find(key)
    if (!runner) throw groupNotFound(key.source, key.name)
    const { maxSubscriberCount } = runner.config.settings
    if (maxSubscriberCount > 0 && runner.group.consumers.length >= maxSubscriberCount) throw maximumSubscribersReached(key.source, key.name)
    const consumer = {
      id: randomUUID(),
      name: call.header('connection-name') ?? '',
      capacity: Math.max(1, Math.min(MOST_CAPACITY, bufferSize)),
      inFlight: 0,
      totalItems: 0,
      blocked: false,
    }
    joined = { runner, consumer }
    call.write(confirmation(`${key.source}::${key.name}`))
    runner.connect(consumer, {
      deliver: ({ resolved, retryCount }) => call.write(encodeEventAnswer(resolved, structuredIds, retryCount)),
      drop() {
        joined = undefined
        call.fail(groupDropped(key.source, key.name))
      },
    })
  }

  return {
    message(bytes) {
      const request = decoded(decodeConsumerRequest, bytes)
      if (!joined) {
        if (request.kind !== 'join') throw new BadRequest('the first request must say which group is meant')
        join(request)
      } else if (request.kind === 'ack') joined.runner.ack(joined.consumer, request.ids)
      else if (request.kind === 'nack') joined.runner.nack(joined.consumer, request.ids, actionOf(request.action), request.reason)
      else throw new BadRequest('a consumer can only be joined once')
    },
    end: () => call.end(),
    drained: () => joined?.runner.unblock(joined.consumer),
    closed() {
      joined?.runner.disconnect(joined.consumer)
      joined = undefined
    },
  }
}

/** Stopping the consumer only skips the event, as in EventStoreDB. */
function actionOf(action: number): NackAction {
  const { Action } = persistent.ReadReq.Nack
  if (action === Action.PARK) return 'park'
  return action === Action.SKIP || action === Action.STOP ? 'skip' : 'retry'
}

function confirmation(id: string): Buffer {
  const message = new persistent.ReadResp.SubscriptionConfirmation()
  message.setSubscriptionId(id)
  const response = new persistent.ReadResp()
  response.setSubscriptionConfirmation(message)
  return frame(response.serializeBinary())
}

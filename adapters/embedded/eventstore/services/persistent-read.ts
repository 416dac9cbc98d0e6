import { randomUUID } from 'node:crypto'
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/persistent_pb.js'
import type { handleBidiStreamingCall } from '@grpc/grpc-js'
import type { Consumer } from '../persistent/consumer.ts'
import type { NackAction, Runner } from '../persistent/runner.ts'
import type { PersistentSubscriptions } from '../persistent/subsystem.ts'
import { callErrorOf } from './answer.ts'
import { BadRequest, groupDropped, groupNotFound, maximumSubscribersReached } from './errors.ts'
import { encodeEventAnswer } from './event-encoding.ts'
import { persistent } from './generated.ts'
import { uuidText } from './mapping.ts'
import { groupKey } from './persistent-request.ts'

/** However large a buffer a consumer asks for, it is given no more events at a time. */
const MOST_CAPACITY = 10_000

/** One consumer: its first request says which group it joins, the others answer the events that it is sent. */
export function serveConsumer(groups: PersistentSubscriptions): handleBidiStreamingCall<ReadReq, ReadResp | Buffer> {
  return (call) => {
    let joined: { runner: Runner; consumer: Consumer } | undefined
    const leave = () => {
      joined?.runner.disconnect(joined.consumer)
      joined = undefined
    }

    function join(options: ReadReq.Options): void {
      const key = groupKey(options)
      const runner = groups.find(key)
      if (!runner) throw groupNotFound(key.source, key.name)
      const { maxSubscriberCount } = runner.config.settings
      if (maxSubscriberCount > 0 && runner.group.consumers.length >= maxSubscriberCount)
        throw maximumSubscribersReached(key.source, key.name)
      const structuredIds = options.getUuidOption()?.hasStructured() ?? false
      const capacity = Math.max(1, Math.min(MOST_CAPACITY, options.getBufferSize()))
      const name = String(call.metadata.get('connection-name')[0] ?? '')
      const consumer = { id: randomUUID(), name, capacity, inFlight: 0, totalItems: 0, blocked: false }
      joined = { runner, consumer }
      call.write(confirmation(`${key.source}::${key.name}`))
      runner.connect(consumer, {
        deliver: ({ resolved, retryCount }) => call.write(encodeEventAnswer(resolved, structuredIds, retryCount)),
        drop() {
          joined = undefined
          call.emit('error', groupDropped(key.source, key.name))
        },
      })
    }

    call.on('data', (request: ReadReq) => {
      try {
        const options = request.getOptions()
        const ack = request.getAck()
        const nack = request.getNack()
        if (!joined) {
          if (!options) throw new BadRequest('the first request must say which group is meant')
          join(options)
        } else if (ack) joined.runner.ack(joined.consumer, ack.getIdsList().map(uuidText))
        else if (nack) joined.runner.nack(joined.consumer, nack.getIdsList().map(uuidText), actionOf(nack.getAction()), nack.getReason())
        else throw new BadRequest('a consumer can only be joined once')
      } catch (error) {
        leave()
        call.emit('error', callErrorOf(error))
      }
    })
    call.on('drain', () => joined?.runner.unblock(joined.consumer))
    call.on('cancelled', leave)
    call.on('error', leave)
    call.on('end', () => {
      leave()
      call.end()
    })
  }
}

/** Stopping the consumer only skips the event, as in EventStoreDB. */
function actionOf(action: number): NackAction {
  const { Action } = persistent.ReadReq.Nack
  if (action === Action.PARK) return 'park'
  return action === Action.SKIP || action === Action.STOP ? 'skip' : 'retry'
}

function confirmation(id: string): ReadResp {
  const message = new persistent.ReadResp.SubscriptionConfirmation()
  message.setSubscriptionId(id)
  const response = new persistent.ReadResp()
  response.setSubscriptionConfirmation(message)
  return response
}

import test from 'ava'
import { decodeConsumerRequest } from './consumer-request.ts'
import { BadRequest } from './errors.ts'
import { Empty, persistent } from './generated.ts'
import { streamIdentifier, uuidMessage } from './mapping.ts'

const ID = '0b6a1c5e-8f3d-4e2a-9c7b-fedcba987654'
const { ReadReq } = persistent

function encode(fill: (request: InstanceType<typeof ReadReq>) => void): Buffer {
  const request = new ReadReq()
  fill(request)
  return Buffer.from(request.serializeBinary())
}

test('a consumer joins a group on a stream, or on all of them', (t) => {
  const options = new ReadReq.Options()
  options.setStreamIdentifier(streamIdentifier('orders'))
  options.setGroupName('workers')
  options.setBufferSize(300)
  const ids = new ReadReq.Options.UUIDOption()
  ids.setString(new Empty())
  options.setUuidOption(ids)
  t.deepEqual(decodeConsumerRequest(encode((request) => request.setOptions(options))), {
    kind: 'join',
    stream: Buffer.from('orders'),
    group: 'workers',
    bufferSize: 300,
    structuredIds: false,
  })
  options.setAll(new Empty())
  options.setBufferSize(-1)
  t.deepEqual(decodeConsumerRequest(encode((request) => request.setOptions(options))), {
    kind: 'join',
    stream: undefined,
    group: 'workers',
    bufferSize: -1,
    structuredIds: false,
  })
})

test('it answers events by their ids', (t) => {
  const ack = new ReadReq.Ack()
  ack.setIdsList([uuidMessage(ID), uuidMessage(ID.toUpperCase())])
  t.deepEqual(decodeConsumerRequest(encode((request) => request.setAck(ack))), { kind: 'ack', ids: [ID, ID] })
  const nack = new ReadReq.Nack()
  nack.setIdsList([uuidMessage(ID)])
  nack.setAction(ReadReq.Nack.Action.PARK)
  nack.setReason('größe')
  t.deepEqual(decodeConsumerRequest(encode((request) => request.setNack(nack))), {
    kind: 'nack',
    ids: [ID],
    action: ReadReq.Nack.Action.PARK,
    reason: 'größe',
  })
})

test('what is none of these is refused', (t) => {
  t.throws(() => decodeConsumerRequest(Buffer.alloc(0)), { instanceOf: BadRequest })
  const ack = new ReadReq.Ack()
  ack.setIdsList([uuidMessage('no id')])
  t.throws(() => decodeConsumerRequest(encode((request) => request.setAck(ack))), { instanceOf: BadRequest })
})

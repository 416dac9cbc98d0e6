import test from 'ava'
import fc from 'fast-check'
import { CallError, CODE } from '../grpc/status.ts'
import { decodeAppendRequest, decodeBatchAppendRequest, expectedOf, missingProperty, proposedEvent } from './append-request.ts'
import { decoded } from './decoded.ts'
import { BadRequest } from './errors.ts'
import { Empty, shared, streams, Timestamp } from './generated.ts'
import { streamIdentifier, uuidMessage } from './mapping.ts'

const ID = '0b6a1c5e-8f3d-4e2a-9c7b-fedcba987654'

function sent<Message extends InstanceType<typeof streams.AppendReq.ProposedMessage>>(message: Message): Message {
  message.setId(uuidMessage(ID))
  message.getMetadataMap().set('type', 'größe').set('content-type', 'application/json').set('other', 'x')
  message.setCustomMetadata(Buffer.from([0, 1, 255]))
  message.setData(Buffer.from('{"a":1}'))
  return message
}

const expectedEvent = { id: ID, type: 'größe', json: true, data: Buffer.from('{"a":1}'), metadata: Buffer.from([0, 1, 255]) }

test('an event is read as the generated classes write it', (t) => {
  const request = new streams.AppendReq()
  request.setProposedMessage(sent(new streams.AppendReq.ProposedMessage()))
  const { options, event } = decodeAppendRequest(Buffer.from(request.serializeBinary()))
  t.is(options, undefined)
  t.deepEqual(proposedEvent(event!), expectedEvent)
  t.is(missingProperty(event!), undefined)
})

test('an id may come as two numbers', (t) => {
  const numbers = new shared.UUID.Structured()
  numbers.setMostSignificantBits(BigInt.asIntN(64, 0x0b6a1c5e8f3d4e2an).toString())
  numbers.setLeastSignificantBits(BigInt.asIntN(64, 0x9c7bfedcba987654n).toString())
  const id = new shared.UUID()
  id.setStructured(numbers)
  const message = sent(new streams.AppendReq.ProposedMessage())
  message.setId(id)
  const request = new streams.AppendReq()
  request.setProposedMessage(message)
  t.is(proposedEvent(decodeAppendRequest(Buffer.from(request.serializeBinary())).event!).id, ID)
})

test('ids are in lower case, and nothing else is an id', (t) => {
  const event = { id: ID.toUpperCase(), type: 't', contentType: 'c', metadata: Buffer.alloc(0), data: Buffer.alloc(0), bytes: 0 }
  t.is(proposedEvent(event).id, ID)
  for (const id of ['', 'no id', `${ID}0`]) t.throws(() => proposedEvent({ ...event, id }), { instanceOf: BadRequest })
})

test('every part of a batch append is read', (t) => {
  const deadline = new Timestamp()
  deadline.setSeconds(1_700_000_000)
  deadline.setNanos(250_000_000)
  const options = new streams.BatchAppendReq.Options()
  options.setStreamIdentifier(streamIdentifier('wallet-ü'))
  options.setStreamPosition('7')
  options.setDeadline(deadline)
  const correlation = uuidMessage(ID)
  const request = new streams.BatchAppendReq()
  request.setCorrelationId(correlation)
  request.setOptions(options)
  request.setIsFinal(true)
  for (let n = 0; n < 3; n += 1) request.addProposedMessages(sent(new streams.BatchAppendReq.ProposedMessage()))
  const read = decodeBatchAppendRequest(Buffer.from(request.serializeBinary()))
  t.deepEqual(read.correlation, Buffer.from(correlation.serializeBinary()))
  t.true(read.final)
  t.is(read.options?.stream.toString(), 'wallet-ü')
  t.is(read.options?.deadline, 1_700_000_000_250)
  t.is(expectedOf(read.options!), 7)
  t.deepEqual(read.events.map(proposedEvent), [expectedEvent, expectedEvent, expectedEvent])
})

test('what a writer expects is the last that was said', (t) => {
  const cases = [
    [(o: InstanceType<typeof streams.AppendReq.Options>) => o.setAny(new Empty()), 'any'],
    [(o: InstanceType<typeof streams.AppendReq.Options>) => o.setNoStream(new Empty()), 'no_stream'],
    [(o: InstanceType<typeof streams.AppendReq.Options>) => o.setStreamExists(new Empty()), 'stream_exists'],
    [(o: InstanceType<typeof streams.AppendReq.Options>) => o.setRevision('9223372036854775807'), Number.MAX_SAFE_INTEGER],
  ] as const
  for (const [expect, expected] of cases) {
    const options = new streams.AppendReq.Options()
    expect(options)
    const request = new streams.AppendReq()
    request.setOptions(options)
    t.is(expectedOf(decodeAppendRequest(Buffer.from(request.serializeBinary())).options!), expected)
  }
  const beyond = { stream: Buffer.alloc(0), expected: 'any', revision: 2n ** 63n, deadline: 0 } as const
  t.throws(() => expectedOf(beyond), { instanceOf: BadRequest })
})

test('a type or content type that is missing is noticed', (t) => {
  const event = { id: ID, type: 't', contentType: 'c', metadata: Buffer.alloc(0), data: Buffer.alloc(0), bytes: 0 }
  t.is(missingProperty({ ...event, type: '' }), 'type')
  t.is(missingProperty({ ...event, contentType: '' }), 'content-type')
})

test('bytes that are no request are refused', (t) => {
  const request = new streams.BatchAppendReq()
  request.addProposedMessages(sent(new streams.BatchAppendReq.ProposedMessage()))
  const bytes = Buffer.from(request.serializeBinary())
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(bytes.length), (at, value, length) => {
      const damaged = Buffer.from(bytes).subarray(0, length)
      if (at < length) damaged[at] = value
      for (const decode of [decodeBatchAppendRequest, decodeAppendRequest]) {
        try {
          decoded<unknown>(decode, damaged)
        } catch (error) {
          t.is((error as CallError).status.code, CODE.internal)
        }
      }
    }),
  )
  t.throws(() => decoded(decodeBatchAppendRequest, bytes.subarray(0, -1)), { instanceOf: CallError })
})

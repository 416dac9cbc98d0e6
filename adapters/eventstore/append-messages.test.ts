import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import type * as StatusMessages from '@eventstore/db-client/generated/status_pb.js'
import test from 'ava'
import fc from 'fast-check'
import { decodeAppendAnswer, encodeAppendRequest } from './append-messages.ts'
import { shared, streams } from './connection.ts'

const load = createRequire(createRequire(import.meta.url).resolve('@eventstore/db-client'))
const { Status } = load('../generated/status_pb.js') as typeof StatusMessages
const { Any } = load('google-protobuf/google/protobuf/any_pb.js') as typeof import('google-protobuf/google/protobuf/any_pb.js')

const json = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }))

test("the client's own classes read of an append what was asked for", (t) => {
  const event = fc.record({ id: fc.uuid(), type: fc.string({ unit: 'grapheme' }), data: json, metadata: json })
  const expected = fc.oneof(fc.constantFrom('any' as const, 'no_stream' as const), fc.bigInt(0n, 2n ** 53n - 1n))
  const stream = fc.string({ unit: 'grapheme', maxLength: 300 })
  const deadline = fc.integer({ min: 0, max: 2 ** 45 })
  fc.assert(
    fc.property(fc.uuid(), stream, expected, fc.array(event, { maxLength: 5 }), deadline, (id, name, revision, events, at) => {
      const read = streams.BatchAppendReq.deserializeBinary(
        encodeAppendRequest({ id, stream: name, expected: revision, events, deadline: at }),
      )
      const options = read.getOptions()!
      t.is(read.getCorrelationId()!.getString(), id)
      t.true(read.getIsFinal())
      t.is(Buffer.from(options.getStreamIdentifier()!.getStreamName_asU8()).toString(), Buffer.from(name).toString())
      t.is(options.hasAny(), revision === 'any')
      t.is(options.hasNoStream(), revision === 'no_stream')
      t.is(
        options.hasStreamPosition() ? BigInt(options.getStreamPosition()) : undefined,
        typeof revision === 'bigint' ? revision : undefined,
      )
      t.is(options.getDeadline()!.toDate().getTime(), at)
      const sent = read.getProposedMessagesList().map((message) => ({
        id: message.getId()!.getString(),
        type: message.getMetadataMap().get('type'),
        contentType: message.getMetadataMap().get('content-type'),
        data: Buffer.from(message.getData_asU8()).toString(),
        metadata: Buffer.from(message.getCustomMetadata_asU8()).toString(),
      }))
      t.deepEqual(
        sent,
        events.map(({ data, metadata, type, ...rest }) => ({
          ...rest,
          type: Buffer.from(type).toString(),
          contentType: 'application/json',
          data: Buffer.from(JSON.stringify(data)).toString(),
          metadata: Buffer.from(JSON.stringify(metadata)).toString(),
        })),
      )
    }),
    { numRuns: 100 },
  )
})

test('an answer is read as they write it, whichever form its id has', (t) => {
  const id = randomUUID()
  const answer = (fill: (response: InstanceType<typeof streams.BatchAppendResp>) => void, structured = false) => {
    const response = new streams.BatchAppendResp()
    const correlation = new shared.UUID()
    if (structured) {
      const halves = new shared.UUID.Structured()
      const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
      halves.setMostSignificantBits(String(bytes.readBigInt64BE(0)))
      halves.setLeastSignificantBits(String(bytes.readBigInt64BE(8)))
      correlation.setStructured(halves)
    } else correlation.setString(id)
    response.setCorrelationId(correlation)
    const stream = new shared.StreamIdentifier()
    stream.setStreamName(Buffer.from('a'))
    response.setStreamIdentifier(stream)
    fill(response)
    return decodeAppendAnswer(Buffer.from(response.serializeBinary()))
  }
  const success = new streams.BatchAppendResp.Success()
  success.setCurrentRevision('9007199254740993')
  const withoutPosition = answer((response) => response.setSuccess(success))
  t.deepEqual(withoutPosition, { id, appended: undefined, refusal: undefined })
  const position = new shared.AllStreamPosition()
  position.setCommitPosition('18446744073709551615')
  success.setPosition(position)
  for (const structured of [false, true])
    t.like(
      answer((response) => response.setSuccess(success), structured),
      { id, appended: { revision: 9007199254740993n, position: 18446744073709551615n } },
    )
  const status = new Status()
  status.setMessage('said the node')
  t.deepEqual(answer((response) => response.setError(status)).refusal, { kind: undefined, message: 'said the node' })
  const details = new Any()
  details.setTypeUrl('type.googleapis.com/event_store.client.WrongExpectedVersion')
  status.setDetails(details)
  t.deepEqual(answer((response) => response.setError(status)).refusal, { kind: 'WrongExpectedVersion', message: 'said the node' })
})

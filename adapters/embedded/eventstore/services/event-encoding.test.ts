import test from 'ava'
import { PREFIX_BYTES } from '../grpc/messages.ts'
import { type RecordedEvent, TOMBSTONE } from '../log/event.ts'
import { encodeEventAnswer } from './event-encoding.ts'
import { persistent, streams } from './generated.ts'

const event: RecordedEvent = {
  id: '0b6a1c5e-8f3d-4e2a-9c7b-fedcba987654',
  type: 'größe',
  json: true,
  data: Buffer.from('{"a":1}'),
  metadata: Buffer.alloc(300, 7),
  stream: 'wallet-ü',
  revision: 300,
  position: 5_000_000_000,
  created: 1_700_000_000_123,
}

test('the generated classes read what was encoded by hand', (t) => {
  const answer = streams.ReadResp.deserializeBinary(encodeEventAnswer({ event }, false).subarray(PREFIX_BYTES)).getEvent()!
  const recorded = answer.getEvent()!
  t.is(answer.getCommitPosition(), '5000000000')
  t.false(answer.hasLink())
  t.is(recorded.getId()?.getString(), event.id)
  t.is(Buffer.from(recorded.getStreamIdentifier()!.getStreamName_asU8()).toString(), event.stream)
  t.is(recorded.getStreamRevision(), '300')
  t.is(recorded.getPreparePosition(), '5000000000')
  t.is(recorded.getCommitPosition(), '5000000000')
  t.deepEqual(Object.fromEntries(recorded.getMetadataMap().toObject(true, undefined as never)), {
    type: 'größe',
    created: '17000000001230000',
    'content-type': 'application/json',
  })
  t.deepEqual(Buffer.from(recorded.getData_asU8()), event.data)
  t.deepEqual(Buffer.from(recorded.getCustomMetadata_asU8()), event.metadata)
})

test('a link, ids as numbers, a tombstone and a retry count are encoded, too', (t) => {
  const link = { ...event, type: '$>', json: false, revision: TOMBSTONE }
  const answer = persistent.ReadResp.deserializeBinary(encodeEventAnswer({ link }, true, 3).subarray(PREFIX_BYTES)).getEvent()!
  t.false(answer.hasEvent())
  t.is(answer.getRetryCount(), 3)
  t.is(answer.getLink()?.getStreamRevision(), '9223372036854775807')
  const numbers = answer.getLink()!.getId()!.getStructured()!
  t.is(BigInt.asUintN(64, BigInt(numbers.getMostSignificantBits())).toString(16), 'b6a1c5e8f3d4e2a')
  t.is(BigInt.asUintN(64, BigInt(numbers.getLeastSignificantBits())).toString(16), '9c7bfedcba987654')
})

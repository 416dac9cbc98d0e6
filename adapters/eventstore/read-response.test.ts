import { createRequire } from 'node:module'
import type { RecordedEvent as ClientEvent } from '@eventstore/db-client'
import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js'
import test from 'ava'
import fc from 'fast-check'
import { runs } from '../../test/runs.ts'
import { MalformedMessage } from '../protobuf/cursor.ts'
import { shared, streams } from './connection.ts'
import { decodeReadResponse } from './read-response.ts'
import { toRecordedEvent } from './recorded-event.ts'

const { convertGrpcEvent } = createRequire(createRequire(import.meta.url).resolve('@eventstore/db-client'))(
  './utils/convertGrpcEvent.js',
) as {
  convertGrpcEvent(event: ReadResp.ReadEvent): { event: ClientEvent }
}

type Stored = {
  type: string
  stream: string
  revision: bigint
  position: bigint
  created: string
  contentType: string
  metadata: Uint8Array
  data: Uint8Array
  structured: boolean
}

const json = fc.json({ maxDepth: 3 }).map((text) => Uint8Array.from(Buffer.from(text)))
const bytes = fc.oneof({ weight: 4, arbitrary: json }, fc.uint8Array({ maxLength: 40 }))
const position = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })
const stored: fc.Arbitrary<Stored> = fc.record({
  type: fc.string({ minLength: 1, unit: 'grapheme' }),
  stream: fc.string({ minLength: 1, unit: 'grapheme' }),
  revision: fc.oneof(fc.constant(2n ** 63n - 1n), position),
  position,
  created: fc.oneof(
    fc.constantFrom('0', '17000000001239999', '17000000001230000'),
    fc.bigInt({ min: 0n, max: 10n ** 17n }).map((ticks) => String(ticks)),
  ),
  contentType: fc.constantFrom('application/json', 'application/octet-stream'),
  metadata: bytes,
  data: bytes,
  structured: fc.boolean(),
})

function recorded({
  type,
  stream,
  revision,
  position,
  created,
  contentType,
  metadata,
  data,
  structured,
}: Stored): ReadResp.ReadEvent.RecordedEvent {
  const message = new streams.ReadResp.ReadEvent.RecordedEvent()
  const id = new shared.UUID()
  const halves = new shared.UUID.Structured()
  halves.setMostSignificantBits('-81985529216486896')
  halves.setLeastSignificantBits('-7299997541889982465')
  if (structured) id.setStructured(halves)
  else id.setString('0b6a1c5e-8f3d-4e2a-9c7b-fedcba987654')
  message.setId(id)
  const identifier = new shared.StreamIdentifier()
  identifier.setStreamName(Buffer.from(stream))
  message.setStreamIdentifier(identifier)
  message.setStreamRevision(String(revision))
  message.setPreparePosition(String(position))
  message.setCommitPosition(String(position))
  message.getMetadataMap().set('type', type).set('created', created).set('content-type', contentType)
  message.setCustomMetadata(metadata)
  message.setData(data)
  return message
}

function answer(fill: (response: ReadResp) => void): Buffer {
  const response = new streams.ReadResp()
  fill(response)
  return Buffer.from(response.serializeBinary())
}

function eventAnswer(each: Stored): Buffer {
  const event = new streams.ReadResp.ReadEvent()
  event.setEvent(recorded(each))
  event.setCommitPosition(String(each.position))
  return answer((response) => response.setEvent(event))
}

/** As the client does it, which decodes binary data to views of the message. */
function byTheClient(encoded: Buffer): unknown {
  return toRecordedEvent(convertGrpcEvent(streams.ReadResp.deserializeBinary(Uint8Array.from(encoded)).getEvent()!).event)
}

test('an event is what the client makes of it, whatever is in it', (t) => {
  fc.assert(
    fc.property(stored, (each) => {
      const encoded = eventAnswer(each)
      const response = decodeReadResponse(encoded)
      const expected = byTheClient(encoded)
      encoded.fill(0)
      t.deepEqual(response, { kind: 'event', event: expected } as typeof response)
    }),
    { numRuns: runs(500) },
  )
})

test('a time that is none is the beginning of time', (t) => {
  const each = fc.sample(stored, { numRuns: runs(1), seed: 1 })[0]!
  const times = ['now', '', '9'.repeat(30)].map((created) => {
    const response = decodeReadResponse(eventAnswer({ ...each, created }))
    return response.kind === 'event' ? response.event.recordedAt : response.kind
  })
  t.deepEqual(times, new Array(3).fill('1970-01-01T00:00:00.000Z'))
})

test('checkpoints, the end of what was there, and what means nothing here', (t) => {
  const checkpoint = new streams.ReadResp.Checkpoint()
  checkpoint.setCommitPosition('9223372036854775807')
  checkpoint.setPreparePosition('1')
  const confirmation = new streams.ReadResp.SubscriptionConfirmation()
  confirmation.setSubscriptionId('a')
  const link = new streams.ReadResp.ReadEvent()
  link.setLink(recorded(fc.sample(stored, 1)[0]!))
  const answers = [
    answer((response) => response.setCheckpoint(checkpoint)),
    answer((response) => response.setCaughtUp(new streams.ReadResp.CaughtUp())),
    answer((response) => response.setFellBehind(new streams.ReadResp.FellBehind())),
    answer((response) => response.setConfirmation(confirmation)),
    answer((response) => response.setStreamNotFound(new streams.ReadResp.StreamNotFound())),
    answer((response) => response.setLastStreamPosition('7')),
    answer((response) => response.setEvent(link)),
  ]
  t.deepEqual(answers.map(decodeReadResponse), [
    { kind: 'checkpoint', position: 2n ** 63n - 1n },
    { kind: 'caughtUp' },
    ...Array.from({ length: 5 }, () => ({ kind: 'other' }) as const),
  ])
})

test('whatever the bytes, there is an answer or they are no message', (t) => {
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255) })
  fc.assert(
    fc.property(stored, fc.array(change, { minLength: 1, maxLength: 4 }), (each, changes) => {
      const encoded = eventAnswer(each)
      for (const { at, byte } of changes) encoded[at % encoded.length] = byte
      try {
        t.truthy(decodeReadResponse(encoded).kind)
      } catch (error) {
        t.true(error instanceof MalformedMessage, String(error))
      }
    }),
    { numRuns: runs(2_000) },
  )
})

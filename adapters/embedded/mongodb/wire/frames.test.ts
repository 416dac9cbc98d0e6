import test from 'ava'
import fc from 'fast-check'
import { createFrameSplitter, HEADER_BYTES, MAX_MESSAGE_BYTES, ProtocolViolation } from './frames.ts'

function frame(payload: Uint8Array): Buffer {
  const buffer = Buffer.alloc(HEADER_BYTES + payload.length)
  buffer.writeInt32LE(buffer.length, 0)
  buffer.set(payload, HEADER_BYTES)
  return buffer
}

test('messages are the same however the bytes arrive', (t) => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 })
  const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 })
  fc.assert(
    fc.property(payloads, cuts, (each, at) => {
      const frames = each.map(frame)
      const stream = Buffer.concat(frames)
      const ends = [...at.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length]
      const splitter = createFrameSplitter()
      const received = ends.flatMap((end, i) => splitter.push(stream.subarray(ends[i - 1] ?? 0, end)))
      t.deepEqual(received, frames)
      t.is(splitter.pending, 0)
    }),
  )
})

test('a length that no message can have is refused as soon as it is seen', (t) => {
  for (const length of [-1, 0, HEADER_BYTES - 1, MAX_MESSAGE_BYTES + 1, 2 ** 31 - 1]) {
    const header = Buffer.alloc(HEADER_BYTES)
    header.writeInt32LE(length)
    t.throws(() => createFrameSplitter().push(header), { instanceOf: ProtocolViolation })
  }
})

test('only bytes that have arrived are held', (t) => {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeInt32LE(MAX_MESSAGE_BYTES)
  const splitter = createFrameSplitter()
  t.deepEqual(splitter.push(header), [])
  t.is(splitter.pending, HEADER_BYTES)
})

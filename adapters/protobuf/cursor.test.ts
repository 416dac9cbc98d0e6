import test from 'ava'
import fc from 'fast-check'
import {
  cursorOf,
  MalformedMessage,
  readBool,
  readBytes,
  readInt32,
  readMessage,
  readTag,
  readText,
  readVarint,
  skipField,
  tag,
  WIRE,
} from './cursor.ts'

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

const delimited = (value: Buffer) => Buffer.concat([varint(BigInt(value.length)), value])

test('numbers are read exactly, as long as 64 bits hold them', (t) => {
  const edges = [
    0n,
    1n,
    127n,
    128n,
    2n ** 31n,
    2n ** 32n,
    2n ** 49n - 1n,
    2n ** 49n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 63n - 1n,
    2n ** 64n - 1n,
  ]
  for (const value of edges) {
    const cursor = cursorOf(varint(value))
    const read = readVarint(cursor)
    t.is(BigInt(read), value)
    t.is(typeof read, value > BigInt(Number.MAX_SAFE_INTEGER) ? 'bigint' : 'number')
    t.is(cursor.at, cursor.end)
  }
  t.is(readInt32(cursorOf(varint(-5n))), -5)
  t.true(readBool(cursorOf(varint(2n))))
})

test('a message within a message has its own end', (t) => {
  const inner = Buffer.concat([varint(BigInt(tag(1, WIRE.varint))), varint(7n)])
  const outer = cursorOf(Buffer.concat([delimited(inner), delimited(Buffer.from('größe')), delimited(Buffer.from([1, 2]))]))
  const message = readMessage(outer)
  t.is(readTag(message), tag(1, WIRE.varint))
  t.is(readVarint(message), 7)
  t.is(readTag(message), 0)
  t.is(readText(outer), 'größe')
  t.deepEqual(readBytes(outer), Buffer.from([1, 2]))
})

test('what is unknown is left out', (t) => {
  const fields = [
    [WIRE.varint, varint(2n ** 60n)],
    [WIRE.fixed64, Buffer.alloc(8)],
    [WIRE.lengthDelimited, delimited(Buffer.alloc(300))],
    [WIRE.fixed32, Buffer.alloc(4)],
  ] as const
  const cursor = cursorOf(Buffer.concat(fields.flatMap(([wire, value]) => [varint(BigInt(tag(300, wire))), value])))
  for (const [wire] of fields) {
    const field = readTag(cursor)
    t.is(field, tag(300, wire))
    skipField(cursor, field)
  }
  t.is(readTag(cursor), 0)
})

test('what is no message is refused', (t) => {
  const refused = (work: () => unknown) => t.throws(work, { instanceOf: MalformedMessage })
  refused(() => readVarint(cursorOf(Buffer.from([0x80]))))
  refused(() => readVarint(cursorOf(Buffer.alloc(11, 0x80))))
  refused(() => readBytes(cursorOf(Buffer.from([5, 1, 2]))))
  refused(() => readBytes(cursorOf(Buffer.concat([varint(2n ** 31n), Buffer.alloc(10)]))))
  refused(() => readBytes(cursorOf(Buffer.concat([varint(2n ** 64n - 1n), Buffer.alloc(10)]))))
  refused(() => readTag(cursorOf(Buffer.from([0]))))
  refused(() => skipField(cursorOf(Buffer.alloc(20)), tag(1, 3)))
  refused(() => skipField(cursorOf(Buffer.alloc(7)), tag(1, WIRE.fixed64)))
})

test('any bytes are either a message or refused', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const cursor = cursorOf(Buffer.from(bytes))
      try {
        for (let field = readTag(cursor); field !== 0; field = readTag(cursor)) skipField(cursor, field)
        t.is(cursor.at, cursor.end)
      } catch (error) {
        t.true(error instanceof MalformedMessage)
      }
    }),
  )
})

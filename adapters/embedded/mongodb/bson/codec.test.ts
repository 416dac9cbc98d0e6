import test from 'ava'
import { Binary, Code, Decimal128, deserialize, Long, MaxKey, MinKey, ObjectId, serialize, Timestamp } from 'bson'
import fc from 'fast-check'
import { runs } from '../../../../test/runs.ts'
import type { Doc } from '../document.ts'
import { CommandError } from '../errors.ts'
import { checkDocument, decodeDocument } from './decode.ts'
import { encodeDocument } from './encode.ts'

const special = fc.constantFrom<unknown>(
  new MinKey(),
  new MaxKey(),
  null,
  Number.NaN,
  -0,
  2 ** 31,
  -(2 ** 31),
  2 ** 53 - 1,
  Long.MAX_VALUE,
  Decimal128.fromString('0.75'),
  new Binary(Buffer.from([0, 9])),
  new Binary(Buffer.alloc(16, 7), 4),
  new Binary(Buffer.from('old'), 2),
  new ObjectId('000000000000000000000001'),
  new Date(0),
  new Date(-62_135_596_800_000),
  new Timestamp({ t: 1, i: 2 }),
  new Code('f()'),
  new Code('f()', { a: 1 }),
  /a\/b/im,
)
const scalar = fc.oneof(special, fc.double(), fc.integer(), fc.boolean(), fc.string({ unit: 'grapheme', maxLength: 60 }))
const name = fc.oneof(fc.constantFrom('a', 'walletId', 'ä'), fc.stringMatching(/^[a-z]{1,80}$/))
const document = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, scalar, tie('document'), fc.array(tie('value'), { maxLength: 4 })),
  document: fc.dictionary(name, tie('value'), { maxKeys: 6, noNullPrototype: true }),
})).document as fc.Arbitrary<Doc>

test('documents are encoded as the official codec encodes them', (t) => {
  fc.assert(
    fc.property(document, (value) => {
      t.true(Buffer.from(serialize(value, { ignoreUndefined: true })).equals(encodeDocument(value)))
    }),
    { numRuns: runs(2_000) },
  )
})

test('documents are decoded as the official codec decodes them', (t) => {
  fc.assert(
    fc.property(document, (value) => {
      const bytes = Buffer.from(serialize(value))
      // A text is what both see alike: the codec has a class of its own for UUIDs.
      t.true(Buffer.from(serialize(decodeDocument(bytes))).equals(serialize(deserialize(bytes))))
    }),
    { numRuns: runs(2_000) },
  )
})

test('only the fields asked for are decoded', (t) => {
  fc.assert(
    fc.property(document, fc.uniqueArray(name, { maxLength: 3 }), (value, names) => {
      const bytes = Buffer.from(serialize(value))
      const whole = decodeDocument(bytes)
      const expected = Object.fromEntries(Object.entries(whole).filter(([field]) => names.includes(field)))
      t.deepEqual(decodeDocument(bytes, 0, bytes.length, new Set(names)), expected)
    }),
  )
})

test('undefined fields are left out, and undefined elements are null', (t) => {
  t.deepEqual(decodeDocument(Buffer.from(encodeDocument({ a: undefined, b: [1, undefined] }))), { b: [1, null] })
})

/** What it throws. */
function outcome(work: () => unknown): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return error
  }
}

test('whatever the bytes, there is a document or an error of the protocol, and to check them comes to the same', (t) => {
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255) })
  fc.assert(
    fc.property(document, fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(), (value, changes, cut) => {
      const bytes = Buffer.from(serialize(value))
      for (const { at, byte } of changes) bytes[at % bytes.length] = byte
      const input = cut % 4 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes
      const [decoded, checked] = [outcome(() => decodeDocument(input)), outcome(() => checkDocument(input))]
      t.true(decoded === undefined || decoded instanceof CommandError, String(decoded))
      t.is(String(checked), String(decoded))
    }),
    { numRuns: runs(3_000) },
  )
  t.pass()
})

test('nesting is bounded, however deep it claims to be', (t) => {
  const depth = 10_000
  const bytes = Buffer.alloc(depth * 8 + 5)
  for (let level = 0; level < depth; level++) {
    const at = level * 7
    bytes.writeInt32LE(depth * 8 + 5 - level * 8, at)
    bytes.write('\u0003a\0', at + 4, 'latin1')
  }
  const error = t.throws(() => decodeDocument(bytes), { instanceOf: CommandError })
  t.is(error.codeName, 'Overflow')
})

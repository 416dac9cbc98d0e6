import test from 'ava'
import fc from 'fast-check'
import type { GuardedWrite } from '../../domain/ports/documents.ts'
import type { Json, JsonObject } from '../../domain/ports/event-log.ts'
import { type FoldedUpdate, foldWrites } from './fold-writes.ts'

type Write = Pick<GuardedWrite, 'set' | 'increment' | 'push'>

function changeAt(document: JsonObject, path: string, change: (current: Json | undefined) => Json): void {
  const [field = '', ...rest] = path.split('.')
  if (rest.length === 0) document[field] = change(document[field])
  else changeAt(document[field] as JsonObject, rest.join('.'), change)
}

/** Applies one write directly, as the meaning that folding has to keep. */
function apply(document: JsonObject, { set, increment, push }: Write): void {
  for (const [path, value] of Object.entries(set ?? {})) changeAt(document, path, () => structuredClone(value))
  for (const [path, by] of Object.entries(increment ?? {})) changeAt(document, path, (current) => ((current as number) ?? 0) + by)
  for (const [path, element] of Object.entries(push ?? {})) changeAt(document, path, (current) => [...((current as Json[]) ?? []), element])
}

function applyFolded({ set, increment, push }: FoldedUpdate): JsonObject {
  const document = { n: 1, o: { n: 1, list: ['old'] }, list: ['old'] }
  apply(document, { set: Object.fromEntries(set), increment: Object.fromEntries(increment) })
  for (const [path, elements] of push) for (const element of elements) apply(document, { push: { [path]: element } })
  return document
}

const number = fc.integer({ min: -5, max: 5 })
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ set: fc.record({ n: number, 'o.n': number }, { requiredKeys: [] }) }),
  fc.record({ set: fc.record({ o: fc.record({ n: number, list: fc.array(number, { maxLength: 2 }) }) }) }),
  fc.record({ set: fc.record({ list: fc.array(number, { maxLength: 2 }) }) }),
  fc.record({ increment: fc.record({ n: number, 'o.n': number }, { requiredKeys: [] }) }),
  fc.record({ push: fc.record({ list: number, 'o.list': number }, { requiredKeys: [] }) }),
)

test('one folded update has the effect of the writes one after another', (t) => {
  fc.assert(
    fc.property(fc.array(write, { maxLength: 8 }), (writes) => {
      const expected: JsonObject = { n: 1, o: { n: 1, list: ['old'] }, list: ['old'] }
      for (const each of writes) apply(expected, each)
      t.deepEqual(applyFolded(foldWrites(writes)), expected)
    }),
  )
})

test('no path of a folded update is within another, as MongoDB demands', (t) => {
  fc.assert(
    fc.property(fc.array(write, { maxLength: 8 }), (writes) => {
      const { set, increment, push } = foldWrites(writes)
      const paths = [...set.keys(), ...increment.keys(), ...push.keys()]
      t.is(new Set(paths).size, paths.length)
      for (const a of paths) t.false(paths.some((b) => b.startsWith(`${a}.`)))
    }),
  )
})

test('the values given are not changed', (t) => {
  const value = { list: [1], n: 1 }
  foldWrites([{ set: { o: value } }, { push: { 'o.list': 2 }, increment: { 'o.n': 1 } }])
  t.deepEqual(value, { list: [1], n: 1 })
})

test('writes that no single update can have are refused', (t) => {
  const refused: Write[][] = [
    [{ set: { a: 'text' } }, { increment: { a: 1 } }],
    [{ set: { a: 1 } }, { push: { a: 1 } }],
    [{ increment: { a: 1 } }, { push: { a: 1 } }],
    [{ push: { a: {} } }, { set: { 'a.0': 1 } }],
    [{ set: { a: 1 } }, { set: { 'a.b': 1 } }],
  ]
  for (const writes of refused) t.throws(() => foldWrites(writes), { instanceOf: TypeError }, JSON.stringify(writes))
})

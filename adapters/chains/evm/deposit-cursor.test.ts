import test from 'ava'
import fc from 'fast-check'
import { MalformedJson } from '../../../domain/json/strict-json.ts'
import { readCursor, type Seen, writeCursor } from './deposit-cursor.ts'

const block = (height: bigint) => ({ height, hash: `0x${height.toString(16).padStart(64, '0')}` })

/** As many blocks at a time as are looked through. */
function followed(steps: readonly number[], start: bigint): { cursor: string; newest: bigint } {
  let [seen, newest]: [Seen, bigint] = [[], start]
  for (const step of steps) {
    const blocks = Array.from({ length: step }, (_, index) => block(newest + BigInt(index) + 1n))
    newest += BigInt(step)
    seen = readCursor(writeCursor([...blocks.reverse(), ...seen]))
  }
  return { cursor: writeCursor(seen), newest }
}

test('however a chain is followed, the cursor has its last blocks, some for each distance before, and little more', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 200 }), fc.bigInt(0n, 10n ** 9n), (steps, start) => {
      const { cursor, newest } = followed(steps, start)
      const heights = readCursor(cursor).map(({ height }) => height)
      t.deepEqual(
        heights,
        [...heights].sort((a, b) => Number(b - a)),
      )
      const count = Number(newest - start)
      for (let back = 0; back < Math.min(count, 16); back++) t.true(heights.includes(newest - BigInt(back)))
      // A reorganisation of any depth goes back at most some times as far as it has to.
      for (let depth = 16; depth < count; depth *= 2)
        t.true(heights.some((height) => newest - height >= depth && newest - height < 4 * depth) || count < 4 * depth)
      t.true(cursor.length < 8_192)
    }),
  )
})

for (const cursor of ['', '{}', '[[1]]', '[["a","0x"]]', 'null']) {
  test(`"${cursor}" is no cursor`, (t) => {
    t.throws(() => readCursor(cursor), { instanceOf: MalformedJson })
  })
}

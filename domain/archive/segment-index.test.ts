import { sha256 } from '@noble/hashes/sha2.js'
import test from 'ava'
import fc from 'fast-check'
import { blocksIn, growSegmentIndex, rowsIn } from './segment-index.ts'

const SEGMENT = Uint8Array.from({ length: 150_000 }, (_, at) => at % 251)

test('an index finds the rows of every stream, and those of every wallet whatever stream they are in', (t) => {
  const wallet = fc.constantFrom('w1', 'w2', 'w3')
  const row = fc.record({
    stream: fc.oneof(wallet, fc.constantFrom('k1', 's1', 's2')).map((id) => (id.startsWith('w') ? `wallet-${id}` : `keyShare-${id}`)),
    walletId: fc.option(wallet, { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      const index = growSegmentIndex(sha256)
      for (const { stream, walletId } of rows) index.add(stream, walletId)
      const text = Buffer.from(index.text(SEGMENT))
      for (const name of ['wallet-w1', 'wallet-w2', 'wallet-w3', 'keyShare-k1', 'keyShare-s1', 'keyShare-s2', 'wallet-none']) {
        const expected = rows.flatMap(({ stream, walletId }, at) => (stream === name || `wallet-${walletId}` === name ? [at] : []))
        t.deepEqual(rowsIn(text, name, sha256), expected)
      }
    }),
  )
})

test('names that share their digits are both found', (t) => {
  const alike = (message: Uint8Array) => sha256(message).fill(7)
  const index = growSegmentIndex(alike)
  for (const stream of ['keyShare-1', 'keyShare-2', 'keyShare-1']) index.add(stream, undefined)
  t.deepEqual(rowsIn(Buffer.from(index.text(SEGMENT)), 'keyShare-1', alike), [0, 1, 2])
})

test('an event whose stream and whose wallet share their digits is found once', (t) => {
  const alike = (message: Uint8Array) => sha256(message).fill(7)
  const index = growSegmentIndex(alike)
  for (const stream of ['keyShare-1', 'keyShare-2']) index.add(stream, 'w1')
  t.deepEqual(rowsIn(Buffer.from(index.text()), 'wallet-w1', alike), [0, 1])
})

test('the text is the same whoever makes it, and its lines are sorted', (t) => {
  const index = growSegmentIndex(sha256)
  for (const [stream, walletId] of [
    ['wallet-a', 'a'],
    ['keyShare-b', 'a'],
    ['party-c', undefined],
  ] as const)
    index.add(stream, walletId)
  const lines = index.text(SEGMENT).split('\n')
  t.is(lines.pop(), '')
  t.deepEqual(lines, lines.toSorted())
  t.true(lines.some((line) => line.endsWith(' 0 1')))
})

test('it has the hash of each block of the segment, which do not get in the way of rows, and one made before there were any has none', (t) => {
  const index = growSegmentIndex(sha256)
  index.add('wallet-a', 'a')
  const text = Buffer.from(index.text(SEGMENT))
  const { blockBytes, hashes } = blocksIn(text)!
  t.deepEqual(
    hashes,
    [0, 1, 2].map((block) => Buffer.from(sha256(SEGMENT.subarray(block * blockBytes, (block + 1) * blockBytes))).toString('base64')),
  )
  t.is(blocksIn(text.subarray(0, text.indexOf('sha256'))), undefined)
  t.is(blocksIn(new Uint8Array()), undefined)
  t.deepEqual(rowsIn(new Uint8Array(), 'wallet-a', sha256), [])
})

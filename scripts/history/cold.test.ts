import test from 'ava'
import { rangesOf } from './cold.ts'

test('segments in a row are asked for together', (t) => {
  t.deepEqual(rangesOf([]), [])
  t.deepEqual(rangesOf([3]), ['3'])
  t.deepEqual(rangesOf([0, 1, 2, 5, 7, 8]), ['0..2', '5', '7..8'])
})

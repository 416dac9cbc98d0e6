import test from 'ava'
import { InvalidDerivationPath, isDerivationPath, MAX_DEPTH, parsePath } from './derivation-path.ts'

test('a path is read as its indices', (t) => {
  t.deepEqual(parsePath('m'), [])
  t.deepEqual(parsePath('m/0/5'), [0, 5])
  t.deepEqual(parsePath('m/2147483647'), [2 ** 31 - 1])
  t.is(parsePath(`m${'/1'.repeat(MAX_DEPTH)}`).length, MAX_DEPTH)
})

for (const path of [
  '',
  '/',
  'M',
  'm/',
  'm//1',
  '/0',
  '0/5',
  'm/0/',
  'm/00',
  'm/05',
  'm/-1',
  'm/+1',
  'm/1.5',
  'm/1e3',
  'm/0x1',
  'm/ 1',
  ' m/1',
  'm/1\n',
  'm/\u0661',
  "m/0'",
  'm/0h',
  'm/2147483648',
  'm/99999999999999999999',
  `m${'/1'.repeat(MAX_DEPTH + 1)}`,
])
  test(`${JSON.stringify(path)} is no path`, (t) => {
    t.is(t.throws(() => parsePath(path), { instanceOf: InvalidDerivationPath })?.code, 'invalid_derivation_path')
  })

test('indices that no path can have are none', (t) => {
  t.true(isDerivationPath([]))
  t.true(isDerivationPath([0, 2 ** 31 - 1]))
  for (const path of [[-1], [2 ** 31], [1.5], [Number.NaN], new Array(MAX_DEPTH + 1).fill(0)]) t.false(isDerivationPath(path))
})

import test from 'ava'
import { PARTITIONS } from '../domain/ports/projections.ts'
import { partitionsOf } from './assignment.ts'
import { partitionOf } from './partition.ts'

const build = { id: 'v1-1', projection: 'wallets' }
const workers = Array.from({ length: 5 }, (_, i) => `worker-${i}`)

const ownersOf = (among: readonly string[]) =>
  new Map(among.flatMap((worker) => partitionsOf(worker, build, among).map((partition) => [partition, worker] as const)))

test('every partition is one worker’s, in whatever order the workers are known', (t) => {
  const owned = workers.flatMap((worker) => partitionsOf(worker, build, workers))
  t.deepEqual(
    owned.sort((a, b) => a - b),
    Array.from({ length: PARTITIONS }, (_, partition) => partition),
  )
  t.deepEqual(Object.fromEntries(ownersOf(workers)), Object.fromEntries(ownersOf(workers.toReversed())))
})

test('a worker alone has all of them, be it known to itself or not', (t) => {
  t.is(partitionsOf('a', build, ['a']).length, PARTITIONS)
  t.is(partitionsOf('a', build, []).length, PARTITIONS)
})

test('when a worker goes, only what was its own moves', (t) => {
  const before = ownersOf(workers)
  const after = ownersOf(workers.slice(1))
  for (const [partition, worker] of before) if (worker !== 'worker-0') t.is(after.get(partition), worker)
})

test('builds are divided differently', (t) => {
  const of = (id: string) => partitionsOf('worker-0', { ...build, id }, workers)
  t.true(['v1-2', 'v1-3', 'v1-4'].some((id) => String(of(id)) !== String(of('v1-1'))))
})

test('ids are spread over the partitions evenly, random ones and running numbers', (t) => {
  for (const id of [(i: number) => `${i}`.padStart(20, '0'), (i: number) => `wallet-${i * 7919}`]) {
    const counts = new Array(PARTITIONS).fill(0)
    for (let i = 0; i < 16_000; i++) counts[partitionOf(id(i))]++
    t.true(Math.min(...counts) > 800 && Math.max(...counts) < 1_200, String(counts))
  }
})

test('an id stays in its partition for ever', (t) => {
  t.deepEqual(['', 'party-1', '00000000000000000007', 'ключ'].map(partitionOf), [11, 0, 3, 8])
})

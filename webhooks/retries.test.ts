import test from 'ava'
import { askedWait, retriesOf, waitAfter } from './retries.ts'

const HOUR_MS = 3_600_000

test('waits are those of the schedule, give or take a tenth, and the last goes on', (t) => {
  const retries = retriesOf([5, 300, 1_800], HOUR_MS)
  for (const [attempts, seconds] of [
    [1, 5],
    [2, 300],
    [3, 1_800],
    [9, 1_800],
  ] as const) {
    t.is(waitAfter(retries, attempts, 0.5), seconds * 1_000)
    t.is(Math.round(waitAfter(retries, attempts, 0)), seconds * 900)
    t.is(Math.round(waitAfter(retries, attempts, 1)), seconds * 1_100)
  }
  t.is(retries.giveUpAfterMs, 2_105_000)
})

test('what a receiver asks for is bounded', (t) => {
  t.is(askedWait(undefined), 0)
  t.is(askedWait(5_000), 5_000)
  t.is(askedWait(1_000 * HOUR_MS), 24 * HOUR_MS)
})

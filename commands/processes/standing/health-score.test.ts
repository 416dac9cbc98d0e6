import test from 'ava'
import { healthScore, medianLatencyMs, type Outcome, type Outcomes, withOutcome } from './health-score.ts'

const NOW = 1_700_000_000_000

const outcomes = (...counts: [Outcome['kind'] | number, number][]): Outcomes =>
  counts.reduce<Outcomes>(
    (before, [what, count]) =>
      Array.from({ length: count }).reduce<Outcomes>(
        (all) =>
          withOutcome(all, typeof what === 'number' ? { at: NOW, kind: 'answered', ms: what } : ({ at: NOW, kind: what } as Outcome)),
        before,
      ),
    [],
  )

const score = (...counts: Parameters<typeof outcomes>) => Number(healthScore(outcomes(...counts), NOW).toFixed(6))

test('who has done nothing yet is taken to be good', (t) => {
  t.is(score(), 1)
})

test('0.4 for the response rate, 0.3 for proofs that hold, 0.3 for being quick', (t) => {
  t.is(score([0, 10]), 1)
  t.is(score([0, 5], ['unanswered', 5]), 0.8)
  t.is(score(['unanswered', 5]), 0.6)
  t.is(score([500, 10]), 0.85)
  t.is(score([1_000, 10]), 0.7)
  t.is(score([9_000, 10]), 0.7)
  // 90 right answers, and one wrong one that weighs as ten: 0.4 + 0.3 · 0.9 + 0.3.
  t.is(score([0, 91], ['wrong', 1]), 0.97)
  t.is(score([0, 2], ['wrong', 2]), 0.7)
})

test('the last hundred outcomes of the last ten minutes count', (t) => {
  t.is(score(['unanswered', 100], [0, 100]), 1)
  t.is(outcomes([0, 1_000]).length, 100)
  t.is(healthScore(outcomes(['unanswered', 5]), NOW + 600_000), 1)
})

test('latency is the median, so that one slow answer is nothing', (t) => {
  t.is(medianLatencyMs(outcomes([20, 5], [3_000, 2]), NOW), 20)
  t.is(medianLatencyMs(outcomes(['unanswered', 5]), NOW), undefined)
})

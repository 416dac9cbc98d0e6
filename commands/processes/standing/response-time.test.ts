import test from 'ava'
import fc from 'fast-check'
import { afterAnswerIn, afterSilence, lateAfter, type ResponseTime, timeoutOf, UNKNOWN_RESPONSE_TIME } from './response-time.ts'

const answers = (...times: number[]): ResponseTime => times.reduce(afterAnswerIn, UNKNOWN_RESPONSE_TIME)

test('a second until something is known, then the mean and four deviations (RFC 6298)', (t) => {
  t.is(timeoutOf(UNKNOWN_RESPONSE_TIME), 1_000)
  // SRTT 400, RTTVAR 200.
  t.is(timeoutOf(answers(400)), 1_200)
  // RTTVAR ¾·200 + ¼·|400 − 800| = 250, SRTT ⅞·400 + ⅛·800 = 450.
  t.is(timeoutOf(answers(400, 800)), 1_450)
})

test('a steady party is waited for little longer than it takes, but half a second at least', (t) => {
  t.is(timeoutOf(answers(...Array(100).fill(900))), 900)
  t.is(timeoutOf(answers(...Array(100).fill(10))), 500)
})

test('late is what comes after all that came before, and after a second whatever came before', (t) => {
  t.is(lateAfter(UNKNOWN_RESPONSE_TIME), 0)
  t.is(lateAfter(answers(...Array(100).fill(10))), 10)
  t.is(lateAfter(answers(100)), 300)
  t.is(lateAfter(answers(400)), 1_000)
})

test('silence doubles it, and an answer takes that back', (t) => {
  const known = answers(...Array(100).fill(10))
  t.is(timeoutOf(afterSilence(known)), 1_000)
  t.is(timeoutOf(afterSilence(afterSilence(known))), 2_000)
  t.is(timeoutOf(afterAnswerIn(afterSilence(known), 10)), 500)
})

test('whatever happens it stays within its bounds', (t) => {
  const happenings = fc.array(fc.oneof(fc.constant('silence' as const), fc.integer({ min: 0, max: 100_000 })))
  fc.assert(
    fc.property(happenings, (all) => {
      const time = all.reduce<ResponseTime>(
        (before, one) => (one === 'silence' ? afterSilence(before) : afterAnswerIn(before, one)),
        UNKNOWN_RESPONSE_TIME,
      )
      return timeoutOf(time) >= 500 && timeoutOf(time) <= 5_000
    }),
  )
  t.pass()
})

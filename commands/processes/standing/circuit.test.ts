import test from 'ava'
import { afterAnswer, afterFailure, afterPing, type Circuit, CLOSED, probed, stateOf, wantsProbe } from './circuit.ts'

const NOW = 1_700_000_000_000

const fail = (circuit: Circuit, times: number, now = NOW, proven = false): Circuit =>
  Array.from({ length: times }).reduce<Circuit>((before) => afterFailure(before, now, proven), circuit)

test('three failures in a row open it for thirty seconds, an answer in between does not', (t) => {
  t.is(stateOf(fail(CLOSED, 2), NOW), 'closed')
  t.is(stateOf(fail(afterAnswer(fail(CLOSED, 2), NOW), 2), NOW), 'closed')
  const open = fail(CLOSED, 3)
  t.is(open.open?.reason, 'failures_in_a_row')
  t.is(stateOf(open, NOW + 29_999), 'open')
  t.is(stateOf(open, NOW + 30_000), 'half_open')
})

test('half of the requests of the last ten seconds open it, once there were ten', (t) => {
  const alternate = (count: number, everyMs: number) =>
    Array.from({ length: count }).reduce<Circuit>(
      (before, _, i) => (i % 2 ? afterFailure(before, NOW + i * everyMs, false) : afterAnswer(before, NOW + i * everyMs)),
      CLOSED,
    )
  t.is(alternate(9, 1).open, undefined)
  t.is(alternate(10, 1).open?.reason, 'failure_rate')
  // Nine in ten seconds are too few to tell, however long it goes on.
  t.is(alternate(100, 1_200).open, undefined)
})

test('less than half of the requests failing leaves it closed', (t) => {
  let circuit = CLOSED
  for (let i = 0; i < 300; i++) circuit = i % 3 === 0 ? afterFailure(circuit, NOW + i, false) : afterAnswer(circuit, NOW + i)
  t.is(stateOf(circuit, NOW), 'closed')
})

test('a proof that the party is wrong opens it at once', (t) => {
  t.is(fail(CLOSED, 1, NOW, true).open?.reason, 'proven_wrong')
})

test('each failed probe doubles the time up to ten minutes, and an answer sets it back', (t) => {
  let circuit = fail(CLOSED, 3)
  let now = NOW
  const times: number[] = []
  for (let i = 0; i < 7; i++) {
    times.push(circuit.open!.until - now)
    now = circuit.open!.until
    circuit = afterFailure(circuit, now, false)
  }
  t.deepEqual(times, [30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000])
  const closed = afterAnswer(circuit, circuit.open!.until)
  t.is(stateOf(closed, now), 'closed')
  t.is(fail(closed, 3, now).open!.until - now, 30_000)
})

test('what comes while it is open neither lengthens nor shortens its time', (t) => {
  const open = fail(CLOSED, 3)
  t.is(fail(open, 10, NOW + 10_000).open?.until, open.open?.until)
  t.is(afterAnswer(open, NOW + 10_000).open?.until, open.open?.until)
})

test('a half-open circuit lets one request through, and another when nothing is heard of the first', (t) => {
  const open = fail(CLOSED, 3)
  t.false(wantsProbe(open, NOW + 29_999))
  const half = NOW + 30_000
  t.true(wantsProbe(open, half))
  t.false(wantsProbe(probed(open, half), half + 9_999))
  t.true(wantsProbe(probed(open, half), half + 10_000))
})

test('three pings missed in a row open it, one missed fails the probe, and one answered closes nothing', (t) => {
  const missed = (circuit: Circuit, now = NOW) => afterPing(circuit, now, false)
  t.is(stateOf(missed(afterPing(missed(missed(CLOSED)), NOW, true)), NOW), 'closed')
  const open = missed(missed(missed(CLOSED)))
  t.is(open.open?.reason, 'pings_missed')
  const half = NOW + 30_000
  t.is(stateOf(afterPing(open, half, true), half), 'half_open')
  t.is(missed(open, half).open?.until, half + 60_000)
})

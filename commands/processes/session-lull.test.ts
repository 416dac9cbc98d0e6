import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { watchSessions } from './session-lull.ts'

/** Longer than any test takes. */
const NEVER_MS = 60_000

function watch(t: ExecutionContext, { lullMs = NEVER_MS, waitMs = NEVER_MS } = {}) {
  let eased = 0
  let onNextEase = () => {}
  const lull = watchSessions({
    lullMs,
    waitMs,
    onEase() {
      eased++
      onNextEase()
    },
  })
  t.teardown(lull.close)
  return {
    lull,
    get eased() {
      return eased
    },
    nextEase: () => new Promise<void>((resolve) => (onNextEase = resolve)),
  }
}

test('before the first session there is a lull, which it ends', (t) => {
  const { lull } = watch(t)
  t.true(lull.isIdle && lull.isLull)
  lull.sessionBegan()
  t.false(lull.isIdle || lull.isLull)
})

test('none is at work when the last of them is over, which is no lull yet', (t) => {
  const watched = watch(t)
  const { lull } = watched
  const ends = [lull.sessionBegan(), lull.sessionBegan()]
  ends[0]!()
  t.false(lull.isIdle)
  t.is(watched.eased, 0)
  ends[1]!()
  t.true(lull.isIdle)
  t.false(lull.isLull)
  t.is(watched.eased, 1)
})

test('a lull begins when no other session has followed, and that is told', async (t) => {
  const watched = watch(t, { lullMs: 5 })
  const { lull } = watched
  lull.sessionBegan()()
  const next = lull.sessionBegan()
  await delay(20)
  t.is(watched.eased, 1)
  next()
  await watched.nextEase()
  t.true(lull.isLull)
  t.is(watched.eased, 3)
})

test('who waits goes on when no session is at work, at once when none is', async (t) => {
  const { lull } = watch(t)
  await lull.idle()
  const ends = [lull.sessionBegan(), lull.sessionBegan()]
  let went = false
  const waiting = lull.idle().then(() => (went = true))
  ends[0]!()
  await Promise.resolve()
  t.false(went)
  ends[1]!()
  await waiting
  t.true(went)
})

test('who waits goes on after a while though there always is a session, and at the end', async (t) => {
  const impatient = watch(t, { waitMs: 5 }).lull
  impatient.sessionBegan()
  await impatient.idle()
  t.false(impatient.isIdle)
  const { lull } = watch(t)
  lull.sessionBegan()
  const waiting = lull.idle()
  lull.close()
  await t.notThrowsAsync(waiting)
})

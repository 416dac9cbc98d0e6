import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { coalesced } from './coalesced.ts'

test('callers during a run share the next one, which begins after they have called', async (t) => {
  let runs = 0
  let finish = () => {}
  const work = coalesced(
    () =>
      new Promise<void>((resolve) => {
        runs += 1
        finish = resolve
      }),
  )
  const first = work()
  const others = [work(), work(), work()]
  t.is(runs, 1)
  finish()
  await first
  await turn()
  t.is(runs, 2)
  finish()
  await Promise.all(others)
  t.is(runs, 2)
})

test('a run that fails fails for those who share it, and the next goes on', async (t) => {
  let fails = true
  const work = coalesced(async () => {
    await turn()
    if (fails) throw new Error('away')
  })
  const first = work()
  const second = work()
  await t.throwsAsync(first, { message: 'away' })
  fails = false
  await second
  await work()
  t.pass()
})

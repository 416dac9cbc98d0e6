import test from 'ava'
import { queueReach } from './queue-reach.ts'

function queue(bound = 10_000) {
  let at = 0
  const reach = queueReach({ bound, now: () => at })
  return {
    reach,
    /** So many sessions come to an end, one each so many milliseconds, while others wait. */
    work(count: number, everyMs: number, waiting = 100) {
      for (let i = 0; i < count; i++) {
        reach.observe({ waiting, running: 16 })
        at += everyMs
        reach.observe({ waiting: waiting - Math.min(1, waiting), running: waiting > 0 ? 16 : 15 })
      }
    },
  }
}

test('before anything is measured, as many may wait as a coordinator should get done in half of their time', (t) => {
  t.is(queue().reach.capacity(), 1_200)
  t.is(queue(5).reach.capacity(), 5)
})

test('it follows how fast sessions come to an end, up to the bound', (t) => {
  const { reach, work } = queue()
  work(500, 10)
  t.true(Math.abs(reach.capacity() - 3_000) < 30, String(reach.capacity()))
  work(500, 100)
  t.true(Math.abs(reach.capacity() - 300) < 3, String(reach.capacity()))
  work(1_000, 1)
  t.is(reach.capacity(), 10_000)
})

test('where hardly anything comes to an end some may wait all the same', (t) => {
  const { reach, work } = queue()
  work(500, 60_000)
  t.is(reach.capacity(), 32)
})

test('while nothing waits, that nothing comes to an end says nothing', (t) => {
  const { reach, work } = queue()
  work(500, 10_000, 0)
  t.is(reach.capacity(), 1_200)
})

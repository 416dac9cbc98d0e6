import test from 'ava'
import type { CoordinatorReport } from '../domain/ports/coordinators.ts'
import { Problem } from '../http/problem.ts'
import { queueAdmission } from './queue-admission.ts'

function admission() {
  const alive = new Map<string, CoordinatorReport>()
  let tell: (report: CoordinatorReport) => void = () => {}
  const queue = queueAdmission({
    reports: () => [...alive.values()],
    listen(listener) {
      tell = listener
      return () => {}
    },
  })
  return {
    say(coordinatorId: string, depth: number, { capacity = 5, leaving = false } = {}) {
      const report = { coordinatorId, startedAt: '', leaving, parties: [], queue: { depth, capacity }, running: 0 }
      if (leaving) alive.delete(coordinatorId)
      else alive.set(coordinatorId, report)
      tell(report)
    },
    silence: (coordinatorId: string) => alive.delete(coordinatorId),
    /** How many are admitted in a row, up to twenty thousand. */
    admitted() {
      let count = 0
      try {
        for (; count < 20_000; count++) {
          queue.requireRoom()
          queue.accepted()
        }
      } catch (error) {
        if (!(error instanceof Problem && error.code === 'queue_full')) throw error
      }
      return count
    },
    queue,
  }
}

test('beyond the bound nothing is admitted, counting what was since the coordinators spoke', (t) => {
  const { say, admitted } = admission()
  say('c1', 2)
  t.is(admitted(), 3)
  t.is(admitted(), 0)
  say('c1', 4)
  t.is(admitted(), 1)
  say('c1', 0)
  t.is(admitted(), 5)
})

test('what waits at all coordinators counts', (t) => {
  const { say, admitted } = admission()
  say('c1', 2)
  say('c2', 2)
  t.is(admitted(), 1)
  say('c1', 2)
  t.is(admitted(), 0)
  say('c2', 2)
  t.is(admitted(), 1)
})

test('one that leaves or falls silent leaves what waited there to the others, and the last word holds when there are none', (t) => {
  const { say, silence, admitted } = admission()
  say('c1', 3)
  say('c2', 1)
  silence('c1')
  say('c2', 1)
  t.is(admitted(), 4)
  say('c2', 1, { leaving: true })
  t.is(admitted(), 4)
  t.is(admitted(), 0)
})

test('before any coordinator is heard of ten thousand are admitted', (t) => {
  t.is(admission().admitted(), 10_000)
})

test('who is turned away is told when to come again', (t) => {
  const { say, queue } = admission()
  say('c1', 5)
  const error = t.throws(() => queue.requireRoom(), { instanceOf: Problem })
  t.is(error?.status, 503)
  t.true(Number(error?.headers['Retry-After']) >= 2 && Number(error?.headers['Retry-After']) <= 10)
})

import test from 'ava'
import type { BuildReport, WorkerReport } from '../domain/ports/projections.ts'
import { membership } from './membership.ts'

const report = (workerId: string, builds: readonly string[] = ['v1-1'], leaving = false): WorkerReport => ({
  workerId,
  startedAt: '2026-01-01T00:00:00.000Z',
  leaving,
  builds: builds.map((build) => ({ build }) as BuildReport),
})

function join() {
  let now = 0
  const members = membership('me', () => now)
  return {
    ...members,
    /** Seconds pass, in each of which everybody named is heard. Whether anything changed. */
    pass(seconds: number, ...heard: string[]): boolean {
      let changed = false
      for (let i = 0; i < seconds; i++) {
        now += 1_000
        for (const worker of heard) changed = members.hear(report(worker)) || changed
      }
      return changed
    },
  }
}

test('a worker counts for the builds that it says it follows', (t) => {
  const { hear, following } = join()
  t.true(hear(report('other', ['v1-1', 'v1-2'])))
  t.false(hear(report('other', ['v1-1', 'v1-2'])))
  t.deepEqual(following('v1-2'), ['me', 'other'])
  t.true(hear(report('other', ['v1-1'])))
  t.deepEqual(following('v1-2'), ['me'])
})

test('a worker that leaves is gone at once', (t) => {
  const { hear, following } = join()
  hear(report('other'))
  t.true(hear(report('other', [], true)))
  t.false(hear(report('other', [], true)))
  t.deepEqual(following('v1-1'), ['me'])
})

test('a worker that is silent while others are heard is gone after three reports missed', (t) => {
  const { pass, following } = join()
  pass(2, 'me', 'other')
  t.false(pass(3, 'me'))
  t.true(pass(1, 'me'))
  t.deepEqual(following('v1-1'), ['me'])
})

test('when nothing at all is heard everybody stays, and has time to be heard again', (t) => {
  const { pass, following } = join()
  pass(2, 'me', 'other')
  pass(60)
  t.deepEqual(following('v1-1'), ['me', 'other'])
  t.false(pass(3, 'me'))
  t.false(pass(3, 'me', 'other'))
  t.deepEqual(following('v1-1'), ['me', 'other'])
})

test('no more workers are remembered than there can be', (t) => {
  const { hear, following } = join()
  for (let i = 0; i < 1_000; i++) hear(report(`made-up-${i}`))
  t.true(following('v1-1').length <= 257)
})

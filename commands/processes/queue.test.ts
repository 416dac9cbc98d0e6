import test from 'ava'
import fc from 'fast-check'
import { createQueue } from './queue.ts'

test('the earliest turn goes first, and of equal ones the first that came', (t) => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 5 }), { nil: 'shift' as const })), (steps) => {
      const queue = createQueue<{ turn: number; number: number }>()
      let expected: { turn: number; number: number }[] = []
      for (const [number, step] of steps.entries()) {
        if (step === 'shift') {
          const first = expected.toSorted((a, b) => a.turn - b.turn || a.number - b.number)[0]
          if (queue.shift() !== first) return false
          expected = expected.filter((each) => each !== first)
        } else {
          const item = { turn: step, number }
          queue.push(item, step)
          expected.push(item)
        }
        if (queue.size !== expected.length) return false
      }
      return true
    }),
  )
  t.pass()
})

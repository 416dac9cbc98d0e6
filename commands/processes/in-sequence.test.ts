import test from 'ava'
import type { Decider } from '../../domain/decider.ts'
import { inSequence } from './in-sequence.ts'

/** A counter that must not be led beyond two. */
const counter: Decider<number, number, { added: number }> = {
  stateVersion: 1,
  initial: 0,
  decide(state, command) {
    if (state + command > 2) throw new Error('too much')
    return [{ added: command }]
  },
  evolve: (state, { added }) => state + added,
}

test('each command is decided on what the ones before it have led to', (t) => {
  t.deepEqual(inSequence(counter).decide(0, [1, 1]), [{ added: 1 }, { added: 1 }])
  t.throws(() => inSequence(counter).decide(0, [1, 1, 1]), { message: 'too much' })
  t.throws(() => inSequence(counter).decide(1, [1, 1]), { message: 'too much' })
})

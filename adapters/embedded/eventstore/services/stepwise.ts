import type { Call } from '../grpc/call.ts'

/**
 * What a call that answers at length does next: send a framed message, let other work have its turn, or wait until there is more to say.
 */
export type Step = Buffer | 'turn' | 'wait'

export type Stepwise = {
  /** There may be more to say. */
  wake(): void
  /** The caller has taken what was sent. */
  drained(): void
  closed(): void
  /** Whether the caller has not taken what was sent. */
  isBehind(): boolean
}

/**
 * Takes steps as fast as the caller takes what they send, and ends the call after the last one. Nothing is taken in advance, so a caller
 * that does not read costs what it was sent last and no more. What a step throws is the call's status.
 */
export function answerStepwise(call: Call, steps: Iterator<Step>): Stepwise {
  let state: 'stepping' | 'turn' | 'waiting' | 'behind' = 'stepping'
  let turn: NodeJS.Immediate | undefined

  function proceed(): void {
    state = 'stepping'
    try {
      while (call.isOpen()) {
        const { value: step, done } = steps.next()
        if (done) {
          call.end()
          return
        }
        if (step === 'wait') {
          state = 'waiting'
          return
        }
        if (step === 'turn') {
          state = 'turn'
          turn = setImmediate(proceed)
          return
        }
        if (!call.write(step)) {
          state = 'behind'
          return
        }
      }
    } catch (error) {
      call.fail(error)
    }
  }

  proceed()
  return {
    wake() {
      if (state === 'waiting') proceed()
    },
    drained() {
      if (state === 'behind') proceed()
    },
    closed: () => clearImmediate(turn),
    isBehind: () => state === 'behind',
  }
}

/** One system for all scenarios of a process that leave it as it was: to start one takes longer than most of them. */
import test from 'ava'
import { startTestSystem, type TestSystem } from './system.ts'

// So that what has just happened can be proved.
process.env.QUORATE_CHECKPOINT_SECONDS = '1'

export let system: TestSystem
test.serial.before(async () => {
  system = await startTestSystem({ parties: 5 })
})
test.after.always(() => system?.stop())

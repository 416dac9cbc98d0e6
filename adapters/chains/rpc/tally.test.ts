import test from 'ava'
import { rpcTally } from './tally.ts'

const CHAIN = 'eip155:31337'

test('calls are counted by what came of them, with their errors and their time, and the endpoint is as it was last', (t) => {
  const tally = rpcTally()
  tally.changed(CHAIN, 0, 'up')
  tally.called(CHAIN, 0, 'answered', 0.25)
  tally.called(CHAIN, 0, 'failed', 0.5, 'timeout')
  tally.called(CHAIN, 0, 'failed', 0.5, 'timeout')
  tally.called(CHAIN, 0, 'refused', 0.25, '-32000')
  tally.changed(CHAIN, 0, 'down')
  tally.called(CHAIN, 1, 'rate_limited', 0)
  t.deepEqual(tally.reports(), [
    {
      ...{ chain: CHAIN, endpoint: 0, state: 'down', seconds: 1.5 },
      outcomes: { answered: 1, refused: 1, failed: 2, rate_limited: 0 },
      errors: { timeout: 2, '-32000': 1 },
    },
    {
      ...{ chain: CHAIN, endpoint: 1, state: 'up', seconds: 0 },
      outcomes: { answered: 0, refused: 0, failed: 0, rate_limited: 1 },
      errors: {},
    },
  ])
})

test('codes that somebody makes up are counted together', (t) => {
  const tally = rpcTally()
  for (let code = 0; code < 100; code++) tally.called(CHAIN, 0, 'refused', 0, String(code))
  const { errors } = tally.reports()[0]!
  t.is(Object.keys(errors).length, 21)
  t.is(errors.other, 80)
})

import test from 'ava'
import { authorisation, fund, request, scenario } from './testing/scenario.ts'

test('the state does not grow for ever: transfers that have ended are forgotten', (t) => {
  const side = scenario()
  fund(side, 10n ** 9n)
  for (let index = 0; index < 3_000; index++) {
    const transferId = `t${index}`
    side.do(request(transferId, { amount: '1' }))
    side.do({ type: 'CancelTransfer', transferId, maxFee: null, by: 'alice', authorisation })
  }
  t.true(JSON.stringify(side.state()).length < 100_000)
})

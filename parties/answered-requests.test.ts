import test from 'ava'
import type { CeremonyReply } from '../domain/ceremony/messages.ts'
import { type Asked, GOOD_FOR_MS } from '../domain/ports/party-channel.ts'
import { answeredOnce } from './answered-requests.ts'

function requests(max?: number) {
  let at = 1_000_000
  let worked = 0
  const answer = answeredOnce({ now: () => at, ...(max === undefined ? {} : { max }) })
  const header = { scheme: 'frost-ed25519', kind: 'opening', ceremonyId: 'k', attempt: 1, round: 1, from: 'c', to: 'p' } as const
  return {
    ask: (id: string) => {
      const asked: Asked = { id, header, request: { type: 'abandon', openings: [] }, digest: new Uint8Array() }
      return answer(asked, async (): Promise<CeremonyReply> => ({ type: 'policyChanged', version: ++worked }))
    },
    pass: (milliseconds: number) => {
      at += milliseconds
    },
  }
}

test('a request is worked on once, also while it is, for as long as a party would listen to it', async (t) => {
  const { ask, pass } = requests()
  const [first, again] = await Promise.all([ask('one'), ask('one')])
  t.deepEqual(
    [first, again, await ask('two')],
    [
      { type: 'policyChanged', version: 1 },
      { type: 'policyChanged', version: 1 },
      { type: 'policyChanged', version: 2 },
    ],
  )
  pass(2 * GOOD_FOR_MS - 1)
  t.deepEqual(await ask('one'), first)
})

test('no more is remembered than the bound; beyond it the party is busy until the oldest are forgotten', async (t) => {
  const { ask, pass } = requests(2)
  await ask('one')
  pass(1)
  await ask('two')
  await t.throwsAsync(ask('three'), { code: 'busy' } as object)
  t.deepEqual(await ask('one'), { type: 'policyChanged', version: 1 })
  pass(2 * GOOD_FOR_MS - 1)
  t.deepEqual(await ask('three'), { type: 'policyChanged', version: 3 })
  t.deepEqual(await ask('two'), { type: 'policyChanged', version: 2 })
})

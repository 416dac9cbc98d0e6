import test from 'ava'
import { answeredOnce } from './answered-once.ts'

const command = (idempotencyKey: string | null, requestDigest = 'd') => ({
  commandId: `id of ${idempotencyKey}`,
  requestDigest,
  idempotencyKey,
})

test('a command given again under its key is answered as before, and another request is refused', async (t) => {
  let times = 0
  const once = answeredOnce()
  const carryOut = async () => ({ status: 202 as const, body: { times: ++times } })
  const first = await once(command('a'), carryOut)
  t.is(await once(command('a'), carryOut), first)
  await t.throwsAsync(once(command('a', 'other'), carryOut), { code: 'idempotency_key_reused' })
  t.deepEqual((await once(command('b'), carryOut)).body, { times: 2 })
  await once(command(null), carryOut)
  t.deepEqual((await once(command(null), carryOut)).body, { times: 4 })
})

test('a command that failed is carried out again', async (t) => {
  const once = answeredOnce()
  await t.throwsAsync(
    once(command('a'), () => Promise.reject(new Error('away'))),
    { message: 'away' },
  )
  t.is((await once(command('a'), async () => ({ status: 202 }))).status, 202)
})

test('only the last thousand are remembered', async (t) => {
  let times = 0
  const once = answeredOnce()
  const carryOut = async () => ({ status: 202 as const, body: { times: ++times } })
  for (let n = 0; n <= 1_000; n++) await once(command(`${n}`), carryOut)
  t.deepEqual((await once(command('1'), carryOut)).body, { times: 2 })
  t.deepEqual((await once(command('0'), carryOut)).body, { times: 1_002 })
})

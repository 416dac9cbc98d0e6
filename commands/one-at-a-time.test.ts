import test from 'ava'
import { oneAtATime } from './one-at-a-time.ts'

test('work for one key is done in order, and a failure keeps nobody waiting', async (t) => {
  const turn = oneAtATime()
  const seen: string[] = []
  let finish = () => {}
  const first = turn('a', async () => {
    seen.push('first begins')
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    seen.push('first ends')
    throw new Error('failed')
  })
  const second = turn('a', async () => {
    seen.push('second')
    return 2
  })
  await turn('b', async () => seen.push('other'))
  t.deepEqual(seen, ['first begins', 'other'])
  finish()
  await t.throwsAsync(first, { message: 'failed' })
  t.is(await second, 2)
  t.deepEqual(seen, ['first begins', 'other', 'first ends', 'second'])
  t.is(await turn('a', async () => 3), 3)
})

import test from 'ava'
import { rememberAnswers } from './remembered.ts'

test('what can change no more is asked for once, until so many others have been that it is forgotten', async (t) => {
  const answers = rememberAnswers<number>(2)
  const asked: string[] = []
  const get = (key: string, isForEver = true) =>
    answers.get(
      key,
      async () => asked.push(key),
      () => isForEver,
    )
  t.is(await get('a'), 1)
  t.is(await get('a'), 1)
  await get('b')
  await get('a')
  await get('c')
  t.deepEqual(asked, ['a', 'b', 'c'])
  await get('a')
  t.deepEqual(asked, ['a', 'b', 'c'])
  await get('b')
  t.deepEqual(asked, ['a', 'b', 'c', 'b'])
})

test('what may still change is asked for each time', async (t) => {
  const answers = rememberAnswers<number>(2)
  let asked = 0
  const get = () =>
    answers.get(
      'a',
      async () => ++asked,
      () => false,
    )
  t.deepEqual([await get(), await get()], [1, 2])
})

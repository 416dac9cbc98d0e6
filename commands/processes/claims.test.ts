import test from 'ava'
import { createClaims } from './claims.ts'

const key = { keyId: 'key-1', epoch: 1 }
const PAIR = ['party-1', 'party-2']

/** Something that is being made until it is told how it ends. */
function begin(claims = createClaims()) {
  let end = { well: (_: string) => {}, ill: (_: Error) => {} }
  const asked: string[] = []
  const made = claims.making(key, PAIR, (claimed) => {
    claimed.then(() => asked.push('claimed'))
    return new Promise<string>((well, ill) => (end = { well, ill }))
  })
  return { claims, made, asked, end: () => end }
}

test('what is being made is claimed once, by the signers in whatever order, for the key in its epoch', async (t) => {
  const { claims, made, asked, end } = begin()
  t.false(claims.isFree({ ...key, keyId: 'key-2' }, PAIR))
  t.false(claims.isFree({ ...key, epoch: 2 }, PAIR))
  t.false(claims.isFree(key, ['party-1', 'party-3']))
  t.false(claims.isFree(key, ['party-1']))
  t.false(claims.isFree(key, [...PAIR, 'party-3']))
  t.true(claims.isFree(key, PAIR.toReversed()))
  const claimed = claims.claim(key, PAIR.toReversed())
  t.false(claims.isFree(key, PAIR))
  let over = false
  claimed.then(() => (over = true))
  await claims.claim(key, PAIR)
  t.deepEqual(asked, ['claimed'])
  t.false(over)
  end().well('a presignature')
  await claimed
  t.is(await made, 'a presignature')
})

test('who has claimed what fails goes on, and what has failed is not claimed', async (t) => {
  const { claims, made, end } = begin()
  const claimed = claims.claim(key, PAIR)
  end().ill(new Error('a party is down'))
  await t.throwsAsync(made, { message: 'a party is down' })
  await t.notThrowsAsync(claimed)
  const again = begin(claims)
  t.true(claims.isFree(key, PAIR))
  again.end().ill(new Error('down still'))
  await t.throwsAsync(again.made, { message: 'down still' })
  t.false(claims.isFree(key, PAIR))
})

test('what takes too long is not waited for', async (t) => {
  const { claims, made, end } = begin(createClaims({ withinMs: 1 }))
  await claims.claim(key, PAIR)
  end().well('late')
  t.is(await made, 'late')
})

import test from 'ava'
import { chooseSigners, createRifts, quorumsOf } from './signer-choice.ts'

const key = { keyId: 'key', epoch: 1 }
const PARTIES = ['a', 'b', 'c']

const banned = (from: string, counterparty: string) => ({ code: 'counterparty_banned', from, culprits: [counterparty] })

test('all quorums there are, those with the first candidates first', (t) => {
  t.deepEqual(
    [...quorumsOf(PARTIES, 2)],
    [
      ['a', 'b'],
      ['a', 'c'],
      ['b', 'c'],
    ],
  )
  t.deepEqual([...quorumsOf(PARTIES, 3)], [PARTIES])
  t.deepEqual([...quorumsOf(PARTIES, 4)], [])
  t.is([...quorumsOf(['a', 'b', 'c', 'd', 'e', 'f', 'g'], 3)].length, 35)
})

test('the likeliest that sign together are chosen, and nobody when no quorum does', (t) => {
  const rifts = createRifts()
  const choose = () => chooseSigners(PARTIES, 2, (signers) => !rifts.among(key, signers))
  t.deepEqual(choose(), ['a', 'b'])
  rifts.learn(key, banned('b', 'a'))
  t.deepEqual(rifts.among(key, ['a', 'b']), { code: 'counterparty_banned', culprits: ['a'] })
  t.deepEqual(choose(), ['a', 'c'])
  rifts.learn(key, { code: 'setup_missing', from: 'c', culprits: ['a', 'b'] })
  t.is(choose(), undefined)
  t.is(rifts.among({ ...key, keyId: 'other' }, PARTIES), undefined)
})

test('what has nothing to do with another party is no rift', (t) => {
  const rifts = createRifts()
  for (const code of ['party_timeout', 'protocol_abort', 'fenced']) rifts.learn(key, { code, from: 'a', culprits: ['b'] })
  rifts.learn(key, banned('a', 'a'))
  t.is(rifts.among(key, PARTIES), undefined)
})

test('a rift is forgotten after a while, and with the epoch', (t) => {
  let now = 0
  const rifts = createRifts({ now: () => now })
  rifts.learn(key, banned('a', 'b'))
  t.is(rifts.among({ ...key, epoch: 2 }, PARTIES), undefined)
  now = 59_999
  t.truthy(rifts.among(key, PARTIES))
  now = 60_000
  t.is(rifts.among(key, PARTIES), undefined)
})

test('of many keys those are forgotten that nothing was heard of for longest', (t) => {
  const rifts = createRifts()
  for (let i = 0; i <= 1_000; i++) rifts.learn({ keyId: `key-${i}`, epoch: 1 }, banned('a', 'b'))
  t.is(rifts.among({ keyId: 'key-0', epoch: 1 }, PARTIES), undefined)
  t.truthy(rifts.among({ keyId: 'key-1', epoch: 1 }, PARTIES))
})

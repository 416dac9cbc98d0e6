import test from 'ava'
import { createByteBudget } from './byte-budget.ts'
import { createMessageReader, frame, PREFIX_BYTES } from './messages.ts'
import { CallError, CODE } from './status.ts'

const MOST = 100_000

function gathering(budget = createByteBudget(MOST)) {
  const messages: string[] = []
  return { messages, reader: createMessageReader(MOST, budget, (message) => messages.push(message.toString('latin1'))) }
}

const statusOf = (work: () => void): number | undefined => {
  try {
    work()
  } catch (error) {
    return error instanceof CallError ? error.status.code : undefined
  }
  return CODE.ok
}

test('messages are the same however they are cut into pieces', (t) => {
  const bytes = Buffer.concat(['first', '', 'x'.repeat(1000), 'last'].map((text) => frame(Buffer.from(text))))
  for (const size of [1, 2, 3, 5, 6, 7, 100, bytes.length]) {
    const { messages, reader } = gathering()
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
    t.deepEqual(messages, ['first', '', 'x'.repeat(1000), 'last'], `pieces of ${size}`)
    t.false(reader.incomplete())
  }
})

test('a message that claims two gigabytes is refused as soon as its prefix is there', (t) => {
  const claim = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff])
  const budget = createByteBudget(MOST)
  t.is(
    statusOf(() => gathering(budget).reader.push(claim)),
    CODE.resourceExhausted,
  )
  const { reader } = gathering(budget)
  reader.push(claim.subarray(0, 3))
  t.is(
    statusOf(() => reader.push(claim.subarray(3))),
    CODE.resourceExhausted,
  )
  reader.close()
  t.true(budget.take(MOST), 'nothing is held for it')
})

test('a compressed message is refused', (t) => {
  t.is(
    statusOf(() => gathering().reader.push(Buffer.from([1, 0, 0, 0, 0]))),
    CODE.unimplemented,
  )
})

test('of an incomplete message no more is held than about twice what has arrived', (t) => {
  const held = 50_000
  const budget = createByteBudget(2 * held)
  const { reader } = gathering(budget)
  const bytes = frame(Buffer.alloc(MOST))
  for (let at = 0; at < held; at += 1) reader.push(bytes.subarray(at, at + 1))
  t.true(reader.incomplete())
  t.false(budget.take(2 * held))
  reader.close()
  t.true(budget.take(2 * held), 'it is given back')
})

test('incomplete messages together are held as far as the budget goes', (t) => {
  const budget = createByteBudget(50_100)
  const part = frame(Buffer.alloc(30_000)).subarray(0, 20_000)
  const first = gathering(budget)
  first.reader.push(part)
  t.is(
    statusOf(() => gathering(budget).reader.push(part.subarray(0, 20_000))),
    CODE.ok,
  )
  t.is(
    statusOf(() => gathering(budget).reader.push(part)),
    CODE.resourceExhausted,
  )
  first.reader.push(frame(Buffer.alloc(30_000)).subarray(20_000))
  t.is(first.messages[0]?.length, 30_000)
  t.is(
    statusOf(() => gathering(budget).reader.push(part)),
    CODE.ok,
  )
})

test('nothing is delivered once the reader is closed, not even from the same piece', (t) => {
  const messages: string[] = []
  const reader = createMessageReader(MOST, createByteBudget(0), (message) => {
    messages.push(message.toString())
    reader.close()
  })
  reader.push(Buffer.concat([frame(Buffer.from('a')), frame(Buffer.from('b')), Buffer.alloc(PREFIX_BYTES - 1)]))
  t.deepEqual(messages, ['a'])
})

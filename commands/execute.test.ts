import test from 'ava'
import { DomainError } from '../domain/domain-error.ts'
import { type EventLog, Unavailable, WrongExpectedRevision } from '../domain/ports/event-log.ts'
import { absent } from './aggregate.ts'
import { execute } from './execute.ts'
import { type AggregateLog, load, rememberingLog } from './load.ts'
import { command, counterTo, freshStream, startLog } from './testing/counter.ts'

const counter = counterTo(10)
const newCounter = () => ({ decider: counter, stream: freshStream() })
const remembering = (log: EventLog): AggregateLog => rememberingLog(log, { onFailure: () => {} })

test('a command on a state that is no longer true is decided on the true one', async (t) => {
  const log = await startLog(t)
  const aggregate = newCounter()
  const first = await execute(log, aggregate, () => 4, command(), absent(counter))
  const second = await execute(log, aggregate, () => 3, command(), absent(counter))
  t.is(second.state, 7)
  t.is((await execute(log, aggregate, () => 2, command(), first)).state, 9)
  await t.throwsAsync(
    execute(log, aggregate, () => 5, command(), second),
    { name: 'DomainError' },
  )
})

test('a refusal is taken back when the state was not the true one', async (t) => {
  const log = await startLog(t)
  const aggregate = newCounter()
  await execute(log, aggregate, () => 1, command())
  const wrong = { ...absent(counter), state: 10, revision: 5n }
  t.is((await execute(log, aggregate, () => 1, command(), wrong)).state, 2)
})

test('a command that creates changes nothing when it comes again, also when it could not be prepared any more', async (t) => {
  const log = await startLog(t)
  const aggregate = newCounter()
  const context = command('digest')
  const { position } = await execute(log, aggregate, () => 4, context, absent(counter))
  await execute(log, aggregate, () => 1, command())
  t.is((await execute(log, aggregate, () => 4, context, absent(counter))).position, position)
  const refuse = () => {
    throw new DomainError('wallet_frozen', 'the wallet is frozen')
  }
  t.like(await execute(log, aggregate, refuse, context, absent(counter)), { state: 5, position })
})

test('a command id that comes again with another request is refused', async (t) => {
  const log = await startLog(t)
  const aggregate = newCounter()
  const context = command('one request')
  await execute(log, aggregate, () => 4, context, absent(counter))
  await t.throwsAsync(
    execute(log, aggregate, () => 4, { ...context, requestDigest: 'another' }, absent(counter)),
    { code: 'idempotency_key_reused' },
  )
})

test("writers that keep getting in each other's way get their turn", async (t) => {
  const log = await startLog(t)
  const aggregate = { decider: counterTo(64), stream: freshStream() }
  // Each as if in a process of its own.
  const outcomes = await Promise.allSettled(Array.from({ length: 64 }, () => execute(remembering(log), aggregate, () => 1, command())))
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  // On a machine that is busy with other things some may be told to come again; what they are told is true.
  t.true(refused.length < 8)
  t.true(refused.every((reason) => reason instanceof WrongExpectedRevision))
  t.is((await load(log, aggregate)).state, 64 - refused.length)
})

test('a command is decided a bounded number of times', async (t) => {
  const log = await startLog(t)
  const aggregate = newCounter()
  let appends = 0
  const contended: EventLog = {
    ...log,
    append: async (stream) => {
      appends++
      throw new WrongExpectedRevision(stream)
    },
  }
  await t.throwsAsync(
    execute(contended, aggregate, () => 1, command()),
    { instanceOf: WrongExpectedRevision },
  )
  t.is(appends, 16)
})

test('what is remembered is what the log holds, also when a command was decided twice and the other outcome was stored', async (t) => {
  const log = await startLog(t)
  const aggregate = newCounter()
  const context = command('digest')
  const [first, second] = [remembering(log), remembering(log)]
  await execute(first, aggregate, () => 1, command())
  let decided = 0
  let proceed = () => {}
  const bothDecided = new Promise<void>((resolve) => {
    proceed = resolve
  })
  // As a point of time would be, which the command is prepared with.
  const prepare = (by: number) => async () => {
    if (++decided === 2) proceed()
    await bothDecided
    return by
  }
  await Promise.all([execute(first, aggregate, prepare(2), context), execute(second, aggregate, prepare(3), context)])
  const { state } = await load(log, aggregate)
  t.is((await load(first, aggregate)).state, state)
  t.is((await load(second, aggregate)).state, state)
})

for (const [who, wrap] of [
  ['a process that remembers', (log: EventLog) => remembering(log)],
  ['a process that does not', (log: EventLog): AggregateLog => log],
] as const) {
  test(`of two identical commands at once one takes effect, in ${who}`, async (t) => {
    const log = await startLog(t)
    for (let round = 0; round < 10; round++) {
      const aggregate = newCounter()
      const context = command('digest')
      const process = wrap(log)
      await execute(process, aggregate, () => 1, command())
      const answers = await Promise.all(Array.from({ length: 8 }, () => execute(process, aggregate, () => 2, context)))
      t.is(new Set(answers.map(({ position }) => position)).size, 1)
      t.is((await load(log, aggregate)).state, 3)
    }
  })

  test(`of two different requests under one command id at once one takes effect and the other is told, in ${who}`, async (t) => {
    const log = await startLog(t)
    for (let round = 0; round < 10; round++) {
      const aggregate = newCounter()
      const context = command('one request')
      const process = wrap(log)
      const outcomes = await Promise.allSettled([
        execute(process, aggregate, () => 1, context),
        execute(process, aggregate, () => 2, { ...context, requestDigest: 'another' }),
      ])
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
      t.deepEqual(refused, ['idempotency_key_reused'])
      t.is((await load(log, aggregate)).revision, 0n)
    }
  })

  test(`a command whose acknowledgement was lost is not carried out again, in ${who}`, async (t) => {
    const log = await startLog(t)
    const aggregate = newCounter()
    let lose = true
    const lossy = wrap({
      ...log,
      async append(...asked) {
        const appended = await log.append(...asked)
        if (lose) throw new Unavailable('eventstore')
        return appended
      },
    })
    const context = command('digest')
    await t.throwsAsync(
      execute(lossy, aggregate, () => 4, context, absent(counter)),
      { instanceOf: Unavailable },
    )
    lose = false
    await execute(log, aggregate, () => 1, command())
    for (const assumed of [undefined, absent(counter)]) {
      t.is((await execute(lossy, aggregate, () => 4, context, assumed)).revision, assumed ? 0n : 1n)
      t.is((await load(log, aggregate)).state, 5)
    }
  })
}

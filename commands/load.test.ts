import test from 'ava'
import { withCurrentEvents } from '../domain/current-events.ts'
import type { EventLog } from '../domain/ports/event-log.ts'
import { type WalletCommand, wallet } from '../domain/wallet/wallet.ts'
import { execute } from './execute.ts'
import { type AggregateLog, load, rememberingLog } from './load.ts'
import { command, counted, counterTo, counting, eventually, freshStream, startLog } from './testing/counter.ts'

const counter = counterTo(1_000_000)

/** A fresh process on the log, and how many events it has read. */
function newProcess(on: EventLog): { log: AggregateLog; read(): number } {
  const { log, read } = counting(on)
  return { log: rememberingLog(log, { onFailure: () => {} }), read }
}

async function append(log: EventLog, stream: string, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 500)
    await log.append(
      stream,
      'any',
      Array.from({ length: Math.min(left, 500) }, () => counted(1)),
    )
}

const snapshotOf = (log: EventLog, stream: string) => log.readSnapshot(stream) as Promise<{ content?: { revision: string } } | undefined>
const hasSnapshotAt = (log: EventLog, stream: string, revision: number) =>
  eventually(async () => (await snapshotOf(log, stream))?.content?.revision === String(revision))

test('what was loaded is not read again, only what is new, by whoever it was written', async (t) => {
  const store = await startLog(t)
  const aggregate = { decider: counter, stream: freshStream() }
  const { log, read } = newProcess(store)
  await append(store, aggregate.stream, 20)
  t.is((await load(log, aggregate)).state, 20)
  t.is(read(), 20)
  await append(store, aggregate.stream, 3)
  t.like(await load(log, aggregate), { state: 23, revision: 22n })
  t.is(read(), 20 + 4)
  await execute(log, aggregate, () => 5, command())
  t.is((await load(log, aggregate)).state, 28)
  t.is(read(), 20 + 4 + 1 + 2)
})

test('whoever appends the hundredth event leaves a snapshot, and the next process begins with it', async (t) => {
  const store = await startLog(t)
  const aggregate = { decider: counter, stream: freshStream() }
  await append(store, aggregate.stream, 98)
  const { log } = newProcess(store)
  await execute(log, aggregate, () => 1, command())
  t.is(await snapshotOf(store, aggregate.stream), undefined)
  await execute(log, aggregate, () => 2, command())
  await hasSnapshotAt(store, aggregate.stream, 99)
  await append(store, aggregate.stream, 7)
  const next = newProcess(store)
  t.like(await load(next.log, aggregate), { state: 108, revision: 106n })
  t.is(next.read(), 32 + 1 + 7)
})

test('a long history without a snapshot is read once', async (t) => {
  const store = await startLog(t)
  const aggregate = { decider: counter, stream: freshStream() }
  await append(store, aggregate.stream, 1_250)
  t.is((await load(newProcess(store).log, aggregate)).state, 1_250)
  await hasSnapshotAt(store, aggregate.stream, 1_249)
  const next = newProcess(store)
  t.is((await load(next.log, aggregate)).state, 1_250)
  t.is(next.read(), 32 + 1)
})

test('the store keeps one snapshot of a stream, and shows none among the events', async (t) => {
  const store = await startLog(t)
  const aggregate = { decider: counter, stream: freshStream() }
  const { log } = newProcess(store)
  for (let hundreds = 1; hundreds <= 3; hundreds++) {
    await append(store, aggregate.stream, 99)
    await execute(log, aggregate, () => 1, command())
    await hasSnapshotAt(store, aggregate.stream, hundreds * 100 - 1)
  }
  const kept = []
  for await (const { revision } of store.readStream(`snapshot-${aggregate.stream}`)) kept.push(revision)
  t.deepEqual(kept, [2n])
  for await (const { stream } of store.readAll()) t.is(stream, aggregate.stream)
})

const damages: { readonly [what: string]: (snapshot: { content: Record<string, unknown>; digest: string }) => object } = {
  'whose state was changed': ({ content, digest }) => ({ content: { ...content, state: 7 }, digest }),
  'that lost a part': ({ digest }) => ({ digest }),
  'that is something else': () => ({ hello: 'world' }),
  'whose commands were changed': ({ content, digest }) => ({ content: { ...content, commands: '' }, digest }),
}
for (const [what, damage] of Object.entries(damages)) {
  test(`a snapshot ${what} is not believed`, async (t) => {
    const store = await startLog(t)
    const aggregate = { decider: counter, stream: freshStream() }
    await append(store, aggregate.stream, 150)
    await load(newProcess(store).log, aggregate)
    await hasSnapshotAt(store, aggregate.stream, 149)
    await store.writeSnapshot(aggregate.stream, damage((await store.readSnapshot(aggregate.stream)) as never))
    t.is((await load(newProcess(store).log, aggregate)).state, 150)
    await hasSnapshotAt(store, aggregate.stream, 149)
  })
}

test('a snapshot of another version of the state is not believed', async (t) => {
  const store = await startLog(t)
  const stream = freshStream()
  await append(store, stream, 150)
  await load(newProcess(store).log, { decider: counter, stream })
  await hasSnapshotAt(store, stream, 149)
  const doubled = { ...counterTo(1_000_000, 2), evolve: (total: number) => total + 2 }
  t.is((await load(newProcess(store).log, { decider: doubled, stream })).state, 300)
})

test('a snapshot of another stream is not believed', async (t) => {
  const store = await startLog(t)
  const [one, other] = [freshStream(), freshStream()]
  for (const stream of [one, other]) await append(store, stream, 150)
  await load(newProcess(store).log, { decider: counter, stream: one })
  await hasSnapshotAt(store, one, 149)
  const swapped: EventLog = { ...store, readSnapshot: () => store.readSnapshot(one) }
  const next = newProcess(swapped)
  t.is((await load(next.log, { decider: counter, stream: other })).state, 150)
  t.is(next.read(), 150)
})

test('nothing is remembered, nor believed of a snapshot, of a store that was put back to an earlier state', async (t) => {
  const [before, after] = [await startLog(t), await startLog(t)]
  const stream = freshStream()
  const aggregate = { decider: counter, stream }
  await append(before, stream, 150)
  let current = before
  const process = newProcess({
    ...before,
    readStream: (...asked) => current.readStream(...asked),
    readSnapshot: (...asked) => current.readSnapshot(...asked),
  })
  t.is((await load(process.log, aggregate)).state, 150)
  await hasSnapshotAt(before, stream, 149)

  const snapshot = (await before.readSnapshot(stream)) as object
  for (const events of [120, 40]) {
    await after.append(
      stream,
      'any',
      Array.from({ length: events }, () => counted(3)),
    )
    await after.writeSnapshot(stream, snapshot)
    current = after
    const { revision, state } = await load(process.log, aggregate)
    t.is(state, 3 * Number((revision ?? 0n) + 1n))
    t.is((await load(newProcess(after).log, aggregate)).state, state)
  }
})

test('what was put back is noticed also when the last command was then given again, and stands where it stood', async (t) => {
  const [before, after] = [await startLog(t), await startLog(t)]
  const stream = freshStream()
  const aggregate = { decider: counter, stream }
  const again = counted(1)
  await before.append(stream, 'any', [counted(1), again])
  await after.append(freshStream(), 'any', [counted(1)])
  await after.append(stream, 'any', [counted(3), again])
  let current = before
  const process = newProcess({ ...before, readStream: (...asked) => current.readStream(...asked) })
  t.is((await load(process.log, aggregate)).state, 2)
  current = after
  t.is((await load(process.log, aggregate)).state, 4)
})

test('an unreadable event fails the load of its stream, and of no other', async (t) => {
  const store = await startLog(t)
  const { log } = newProcess(withCurrentEvents(store))
  const create = (walletId: string) =>
    execute(
      log,
      { decider: wallet, stream: `wallet-${walletId}` },
      (): WalletCommand => ({ type: 'CreateWallet', walletId, tenant: 'acme', name: '', clientKeys: [], policy: { rawDigests: false } }),
      command(),
    )
  await create('good')
  await create('bad')
  await store.append('wallet-bad', 'any', [{ ...counted(1), type: 'WalletFrozen', data: { walletId: 'bad' } }])
  await t.throwsAsync(load(log, { decider: wallet, stream: 'wallet-bad' }), { code: 'event_unreadable' } as object)
  t.like(await load(log, { decider: wallet, stream: 'wallet-good' }), { state: { status: 'open' } })
})

test('a command is recognised from a snapshot, after events that are not read any more', async (t) => {
  const store = await startLog(t)
  const aggregate = { decider: counter, stream: freshStream() }
  const first = newProcess(store)
  const [creating, early] = [command('a'), command('b')]
  const answers = []
  for (const context of [creating, early]) answers.push(await execute(first.log, aggregate, () => 1, context))
  for (let i = 2; i < 100; i++) await execute(first.log, aggregate, () => 1, command('c'))
  await hasSnapshotAt(store, aggregate.stream, 99)

  const next = newProcess(store)
  for (const [index, context] of [creating, early].entries()) {
    t.is((await execute(next.log, aggregate, () => 1, context)).position, answers[index]?.position)
    await t.throwsAsync(
      execute(next.log, aggregate, () => 1, { ...context, requestDigest: 'other' }),
      { code: 'idempotency_key_reused' },
    )
  }
  t.is((await load(next.log, aggregate)).state, 100)
  t.true(next.read() < 50)
})

import test from 'ava'
import type { Loaded } from './aggregate.ts'
import { NO_COMMANDS, type RecentCommands } from './recent-commands.ts'
import { isSnapshotDue } from './snapshot.ts'

const loaded = (revision: bigint, state: unknown, commands: RecentCommands = NO_COMMANDS): Loaded<unknown> => ({
  state,
  revision,
  position: revision,
  eventId: 'e',
  commands,
})

/** The revisions up to which a stream grows one by one that are due. */
function dueUpTo(last: bigint, state: unknown, commands?: RecentCommands): bigint[] {
  const due: bigint[] = []
  for (let revision = 0n; revision <= last; revision++)
    if (isSnapshotDue(revision === 0n ? undefined : revision - 1n, loaded(revision, state, commands))) due.push(revision)
  return due
}

test('a small state has a snapshot taken every hundred events', (t) => {
  t.deepEqual(dueUpTo(350n, { small: true }), [99n, 199n, 299n])
})

test('a large one waits until the events since the last snapshot weigh about what it weighs', (t) => {
  t.deepEqual(dueUpTo(900n, 'x'.repeat(200_000)), [299n, 599n, 899n])
  const commands = new Map(Array.from({ length: 4_096 }, (_, i) => [`c${i}`, { position: 1n, revision: 1n, at: 1, request: undefined }]))
  t.deepEqual(dueUpTo(1_300n, {}, commands), [599n, 1_199n])
})

test('one that the store would not take is not taken', (t) => {
  t.deepEqual(dueUpTo(2_000n, 'x'.repeat(990_000)), [1_299n])
  t.deepEqual(dueUpTo(2_000n, 'x'.repeat(1_000_000)), [])
  t.deepEqual(dueUpTo(2_000n, 'é'.repeat(600_000)), [])
})

test('several events at once are due when one of them is', (t) => {
  t.true(isSnapshotDue(97n, loaded(101n, {})))
  t.false(isSnapshotDue(99n, loaded(120n, {})))
  t.true(isSnapshotDue(undefined, loaded(1_249n, {})))
})

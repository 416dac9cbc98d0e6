import test from 'ava'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import { surveyStore } from './survey.ts'

const event = (stream: string, revision: bigint, position: bigint, data: object): RecordedEvent => ({
  ...{ id: '', type: 'Happened', stream, revision, position, data },
  recordedAt: new Date(Number(position)).toISOString(),
  metadata: {} as RecordedEvent['metadata'],
})

const storeOf = (...events: RecordedEvent[]) => ({
  async *readStored() {
    yield* events
  },
})

test('the first event that would go is named, and nothing of what is in it is held', async (t) => {
  const content = { state: 'x'.repeat(1_000) }
  const { needed, removable, position } = await surveyStore(
    storeOf(
      event('$$wallet-1', 0n, 1n, { $maxCount: 1 }),
      event('wallet-0', 0n, 2n, content),
      event('wallet-1', 3n, 3n, content),
      event('wallet-1', 4n, 4n, content),
    ),
    10,
  )
  t.deepEqual(needed, { stream: 'wallet-1', revision: 3n, position: 3n })
  t.is(position, 4n)
  t.is(removable.metadata, 0)
})

test('what Quorate is made of and no archive holds is needed, too', async (t) => {
  for (const stream of ['checkpoints', 'webhookKeys']) {
    const hidden = [event(stream, 0n, 1n, {}), event(stream, 1n, 2n, {}), event(`$$${stream}`, 0n, 3n, { $tb: 1 })]
    t.is((await surveyStore(storeOf(...hidden), 10)).needed?.stream, stream)
  }
  t.is(
    (await surveyStore(storeOf(event('others', 0n, 1n, {}), event('others', 1n, 2n, {}), event('$$others', 0n, 3n, { $tb: 1 })), 10))
      .needed,
    undefined,
  )
})

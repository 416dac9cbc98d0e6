import { randomUUID } from 'node:crypto'
import test from 'ava'
import { startLog } from '../../commands/testing/counter.ts'
import { WrongExpectedRevision } from '../../domain/ports/event-log.ts'
import type { Progress } from '../../domain/ports/webhook-records.ts'
import { webhookRecords } from './webhook-records.ts'

const progress = (through: number): Progress => ({
  claim: null,
  through: String(through),
  failingSince: null,
  leftAloneUntil: 0,
  waiting: [],
  resends: {},
})

test('progress is what was stored last, and takes no more room than that', async (t) => {
  const log = await startLog(t)
  const id = randomUUID()
  const records = webhookRecords(log)
  t.is(await records.readProgress(id), undefined)
  let revision: bigint | undefined
  for (let through = 0; through < 5; through++) revision = await records.writeProgress(id, progress(through), revision)
  t.deepEqual(await webhookRecords(log).readProgress(id), { revision: 4n, progress: progress(4) })
  let kept = 0
  for await (const _ of log.readStream(`webhookProgress-${id}`)) kept++
  t.is(kept, 1)
})

test('of two that have read the same one only is stored', async (t) => {
  const log = await startLog(t)
  const id = randomUUID()
  const [one, other] = [webhookRecords(log), webhookRecords(log)]
  await one.writeProgress(id, progress(1), undefined)
  await t.throwsAsync(other.writeProgress(id, progress(2), undefined), { instanceOf: WrongExpectedRevision })
  await one.writeProgress(id, progress(3), 0n)
  await t.throwsAsync(other.writeProgress(id, progress(4), 0n), { instanceOf: WrongExpectedRevision })
  t.is((await other.readProgress(id))?.progress.through, '3')
})

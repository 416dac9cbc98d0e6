import test from 'ava'
import { allOf, newEvents, newSigner, openTestDocuments, openTestLog, startKeeper, until } from '../../audit/testing/audited-log.ts'
import { CHECKPOINT_STREAM } from '../../domain/audit/checkpoint-stream.ts'

const codesOf = (failures: readonly unknown[]) => failures.map((error) => (error as { code?: string }).code)

test('of a log that was put back, cut off or rewritten nothing is signed', async (t) => {
  const signer = newSigner()
  const original = await openTestLog(t, signer.key)
  const kept = await openTestDocuments(t)
  await original.append(20)
  const keeper = startKeeper(t, { ...signer, log: original.log, documents: kept })
  await until(async () => (await original.checkpoints()).at(-1)?.size === 20)
  await keeper.stop()
  const whole = await allOf(original.log)
  const events = whole.filter(({ stream }) => stream !== CHECKPOINT_STREAM)

  const attempt = async (copied: typeof events, documents = openTestDocuments(t)) => {
    const other = await openTestLog(t, signer.key)
    for (const { stream, id, type, data, metadata } of copied) await other.log.append(stream, 'any', [{ id, type, data, metadata }])
    const { failures, stop } = startKeeper(t, { ...signer, log: other.log, documents: await documents })
    await until(async () => failures.length > 0)
    await stop()
    t.is((await allOf(other.log)).length, copied.length)
    return codesOf(failures)
  }
  const changed = { ...events[7]!, data: { n: 8 } }
  const more = newEvents(5).map((event) => ({ ...events[0]!, ...event }))
  t.deepEqual(await attempt(events.slice(0, 19)), ['log_shortened'])
  t.deepEqual(await attempt(events, Promise.resolve(kept)), ['checkpoints_broken'])
  t.deepEqual(await attempt(whole.toSpliced(19, 1), Promise.resolve(kept)), ['leaf_missing'])
  t.deepEqual(await attempt([...events.slice(0, 19), ...more]), ['log_rewritten'])
  t.deepEqual(await attempt(events.with(7, changed)), ['log_rewritten'])
  t.deepEqual(await attempt([events[1]!, events[0]!, ...events.slice(2)]), ['log_rewritten'])
})

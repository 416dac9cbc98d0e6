import test from 'ava'
import { allOf, METADATA, newSigner, openTestDocuments, openTestLog, startKeeper, until } from '../../audit/testing/audited-log.ts'
import { signCheckpoint } from '../../domain/audit/checkpoint.ts'
import { CHECKPOINT_SIGNED, CHECKPOINT_STREAM } from '../../domain/audit/checkpoint-stream.ts'
import { vkeyOf } from '../../domain/audit/signed-note.ts'

const codesOf = (failures: readonly unknown[]) => failures.map((error) => (error as { code?: string }).code)

test('the keeper of the tree does not go on from checkpoints that its key has not signed, or that do not go on from one another', async (t) => {
  const attempt = async (notes: (signer: ReturnType<typeof newSigner>) => Promise<string>[]) => {
    const signer = newSigner()
    const { log, append } = await openTestLog(t, signer.key)
    await append(3)
    for (const note of await Promise.all(notes(signer)))
      await log.append(CHECKPOINT_STREAM, 'any', [
        { id: crypto.randomUUID(), type: CHECKPOINT_SIGNED, data: { note, vkey: vkeyOf(signer.key) }, metadata: METADATA },
      ])
    const before = (await allOf(log)).length
    const { failures, stop } = startKeeper(t, { ...signer, log, documents: await openTestDocuments(t) })
    await until(async () => failures.length > 0)
    await stop()
    t.is((await allOf(log)).length, before)
    return codesOf(failures)
  }
  const checkpoint = { size: 1, root: new Uint8Array(32), previous: undefined, time: '2026-01-01T00:00:00.000Z' }
  t.deepEqual(await attempt(() => [signCheckpoint(checkpoint, newSigner().identity)]), ['checkpoint_of_another_key'])
  t.deepEqual(await attempt(({ identity }) => [signCheckpoint(checkpoint, identity)]), ['log_rewritten'])
  t.deepEqual(
    await attempt(({ identity }) => [signCheckpoint(checkpoint, identity), signCheckpoint({ ...checkpoint, size: 2 }, identity)]),
    ['checkpoints_broken'],
  )
})

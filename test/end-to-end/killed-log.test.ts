import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import test from 'ava'
import { readNote } from '../../domain/audit/signed-note.ts'
import { auditorOf, type Checkpoint } from './auditor.ts'
import { startTestSystem, type TestSystem, until } from './system.ts'

process.env.QUORATE_CHECKPOINT_SECONDS = '1'

let system: TestSystem
test.before(async () => {
  system = await startTestSystem({ parties: 3 })
})
test.after.always(() => system?.stop())

test('killed in the midst of it all, the log goes on from the checkpoint that was kept elsewhere', async (t) => {
  const { answered, historyOf, keep, sign, verified } = auditorOf(system)
  await sign()
  const kept = await keep('kept.json', '/v1/checkpoints/latest')
  const { size } = JSON.parse(await readFile(kept, 'utf8')) as Checkpoint
  const inFlight = sign().catch(() => undefined)
  await until(async () => (await answered<Checkpoint>('/v1/checkpoints/latest')).size > size, 'the log to go on')
  await system.killEverything()
  await inFlight
  await system.startAgain()
  const { walletId } = await sign()
  const [newest] = await historyOf(walletId)
  const proof = await keep('proof.json', `/v1/proofs/inclusion?event=${newest!.stream}@${newest!.revision}`)
  const to = /^.*\n(\d+)\n/.exec(JSON.parse(await readFile(proof, 'utf8')).checkpoint)?.[1]
  const between = await keep('between.json', `/v1/proofs/consistency?from=${size}&to=${to}`)
  const answer = await verified('--proof', proof, '--proof', between, '--witness', kept)
  t.is(answer.code, 0, answer.said)
  t.like(await verified('--proof', proof, '--witness', kept), { code: 1 })

  const { items } = await answered<{ items: Checkpoint[] }>('/v1/checkpoints?limit=200')
  t.deepEqual(
    items.map(({ number }) => number),
    items.map((_, index) => items.length - 1 - index),
  )
  for (const [index, later] of items.entries()) {
    const earlier = items[index + 1]
    if (earlier) t.true(later.size > earlier.size)
    t.is(later.previous, earlier ? sha256Of(readNote(earlier.note).text) : null)
  }
})

const sha256Of = (text: string) => createHash('sha256').update(text).digest('base64')

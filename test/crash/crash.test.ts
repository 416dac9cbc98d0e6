import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { runCrashRounds } from './rounds.ts'

const ROUNDS = 3

test('killed at random moments under load, the event store keeps what it acknowledged, once, whole, in order', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-crash-'))
  const seed = String(Date.now())
  t.log(`seed ${seed}: npm run test:crash -- --rounds ${ROUNDS} --seed ${seed}`)
  const report = await runCrashRounds({ rounds: ROUNDS, seed, dataDir })
  t.log(report)
  t.true(report.eventsAcknowledged > 0)
  await rm(dataDir, { recursive: true })
})

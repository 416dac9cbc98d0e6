import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runCrashRounds } from './rounds.ts'

// Kills the embedded event store under load, round after round, and checks that it keeps what it acknowledged:
//   npm run test:crash -- [--rounds N] [--seed S]
// When something is wrong the data folder is left for a look.

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '200' }, seed: { type: 'string', default: String(Date.now()) } },
})
const rounds = Number(values.rounds)
if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds takes a whole number above 0')
const dataDir = await mkdtemp(join(tmpdir(), 'quorate-crash-'))
console.log(`seed ${values.seed}, data in ${dataDir}`)
try {
  const report = await runCrashRounds({ rounds, seed: values.seed, dataDir, progress: console.log })
  console.log(JSON.stringify(report, undefined, 2))
  await rm(dataDir, { recursive: true })
} catch (error) {
  console.error(`seed ${values.seed}: ${(error as Error).stack}`)
  process.exit(1)
}

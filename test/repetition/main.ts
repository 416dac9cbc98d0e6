/**
 * Runs each test file again, alone, of which anything went wrong in a run of ava: on a machine that others use, too, a test can be starved of its time.
 * Takes the file with what ava printed, and options of ava's; ends with 1 when a file fails again, or too many had failed. Closes with the count of both.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { readReport } from './report.ts'

/** What makes more fail than these is no accident. */
const MOST_FILES = 5

const [log, ...options] = process.argv.slice(2)
const files = readdirSync('dist', { recursive: true, encoding: 'utf8' }).flatMap((file) =>
  file.endsWith('.test.js') ? `dist/${file}` : [],
)
const { failed, ...elsewhere } = readReport(readFileSync(log!, 'utf8'), files)
const say = (line: string) => process.stdout.write(`${line}\n`)

function runAlone(file: string) {
  say(`\n== Once more, alone: ${file}`)
  const env = { ...process.env, QUORATE_TESTS: 'all' }
  const { status, stdout } = spawnSync('npx', ['ava', ...options, file], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'inherit'] })
  say(stdout)
  const count = (what: string) => Number(new RegExp(`^ *(\\d+) tests? ${what}$`, 'm').exec(stdout)?.[1] ?? 0)
  return { file, isWell: status === 0, passed: count('passed'), skipped: count('skipped') }
}

if (failed.length === 0 || failed.length > MOST_FILES) {
  say(`\n== Not run again, since ${failed.length || 'no'} files have failed:`)
  for (const file of failed) say(file)
  process.exitCode = 1
} else {
  const again = failed.map(runAlone)
  say('\n== Failed at first, and run again alone:')
  for (const { file, isWell } of again) say(`${isWell ? 'passed' : 'FAILED'}: ${file}`)
  const total = (of: 'passed' | 'skipped') => again.reduce((sum, run) => sum + run[of], elsewhere[of])
  say(`\n${total('passed')} tests passed\n${total('skipped')} tests skipped`)
  process.exitCode = again.every(({ isWell }) => isWell) ? 0 : 1
}

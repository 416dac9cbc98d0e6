import { parseArgs } from 'node:util'
import { MODES, runOnEmbedded } from './embedded.ts'
import { differs, isQuirk, listScenarios, type Outcome, runScenarios } from './scenarios.ts'

// Runs the conformance scenarios, against the embedded event store in memory and on disk or against any server:
//   npm run test:conformance -- [URL] [--memory] [--disk] [--only REGEX]
// Ends with 1 when an outcome differs from the real server's, except in scenarios named "quirk".

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { disk: { type: 'boolean' }, memory: { type: 'boolean' }, only: { type: 'string' } },
})
const [url] = positionals
const names = await listScenarios(values.only)
if (names.length === 0) throw new Error(`no scenario matches ${values.only}`)

let wrong = 0
if (url !== undefined) {
  wrong = report(url, await runScenarios(url, names))
} else {
  const modes = values.disk || values.memory ? MODES.filter((mode) => values[mode]) : MODES
  const runs = await Promise.all(modes.map(async (mode) => ({ mode, outcomes: await runOnEmbedded(mode, names) })))
  for (const { mode, outcomes } of runs) wrong += report(`embedded event store, ${mode}`, outcomes)
}
process.exitCode = wrong > 0 ? 1 : 0

/** Prints what differs, and a count; how many differ that must not. */
function report(server: string, outcomes: readonly Outcome[]): number {
  const different = outcomes.filter(differs)
  for (const outcome of different) {
    console.log(`${isQuirk(outcome) ? 'differs, and may' : 'differs'}: ${outcome.name}`)
    for (const line of outcome.differences) console.log(`    ${line}`)
  }
  const quirks = different.filter(isQuirk).length
  console.log(
    `${server}: ${outcomes.length - different.length} of ${outcomes.length} scenarios as the real one, ${different.length - quirks} differ, ${quirks} quirks differ`,
  )
  return different.length - quirks
}

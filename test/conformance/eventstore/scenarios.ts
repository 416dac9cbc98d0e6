import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'

/** The scenarios are plain JavaScript, so that they run against any server without a build; they are where the sources are. */
const RUNNER = resolve(import.meta.dirname, '../../../..', 'test/conformance/eventstore/run.mjs')
const RUN_WITHIN_MS = 5 * 60_000

/** What came of one scenario; `differences` is empty when the server answered as the real one. */
export type Outcome = { name: string; differences: string[] }

/** Accidents of the recorded server: a server that differs there is not wrong. */
export const isQuirk = ({ name }: Outcome): boolean => name.startsWith('quirk')

export const differs = ({ differences }: Outcome): boolean => differences.length > 0

/** Names of all scenarios, or of those that match. */
export async function listScenarios(only = ''): Promise<string[]> {
  return await run(['--list', '--only', only])
}

/** Runs scenarios one after the other against the server at `url` (an EventStoreDB connection string). */
export async function runScenarios(url: string, names: readonly string[]): Promise<Outcome[]> {
  const lines = await run([url, '--only', `^(?:${names.map((name) => name.replace(/[^\w\s]/g, '\\$&')).join('|')})$`])
  const outcomes: Outcome[] = []
  for (const line of lines) {
    const [, verdict, name] = /^(ok|differs) +(.*)$/.exec(line) ?? []
    if (verdict !== undefined) outcomes.push({ name: name!, differences: [] })
    else if (line.startsWith(' ')) outcomes.at(-1)?.differences.push(line.trim())
  }
  const missing = names.length - outcomes.length
  if (missing !== 0) throw new Error(`${missing} scenarios have no outcome; the last words were: ${lines.at(-1)}`)
  return outcomes
}

/** Lines on the runner's standard output. */
async function run(args: readonly string[]): Promise<string[]> {
  const child = spawn(process.execPath, [RUNNER, ...args], { stdio: ['ignore', 'pipe', 'inherit'], timeout: RUN_WITHIN_MS })
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) lines.push(line)
  return lines
}

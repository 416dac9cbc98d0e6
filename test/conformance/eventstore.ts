import { spawn } from 'node:child_process'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'

// Runs conformance scenarios of EventStoreDB's official client against the embedded server:
//   node dist/test/conformance/eventstore.js FOLDER [--disk] [--memory] [--only REGEX]
// FOLDER (or EVENTSTORE_CONFORMANCE) holds `run.mjs`. Without --disk or --memory it runs both.

const TIMEOUT_MS = 5 * 60_000
const HERE = dirname(fileURLToPath(import.meta.url))

/** The client package, found from here, so that it does not matter where the build went. */
const NODE_MODULES = resolve(fileURLToPath(import.meta.resolve('@eventstore/db-client')).split('@eventstore')[0]!)

type Mode = 'memory' | 'disk'

/** Runs all scenarios once and resolves to the runner's exit code. */
async function run(scenarios: string, mode: Mode, only: string | undefined): Promise<number> {
  const workspace = await mkdtemp(join(HERE, 'eventstore-'))
  try {
    await cp(scenarios, join(workspace, 'scenarios'), { recursive: true, filter: (path) => !path.includes('node_modules') })
    await symlink(NODE_MODULES, join(workspace, 'node_modules'))
    const server = await startEmbeddedEventStore({ port: 0, ...(mode === 'disk' && { dataDir: join(workspace, 'data') }) })
    try {
      return await runScenarios(join(workspace, 'scenarios', 'run.mjs'), server.url, mode, only)
    } finally {
      await server.close()
    }
  } finally {
    await rm(workspace, { recursive: true, force: true })
  }
}

/** Prints what differs, and the runner's last line. */
async function runScenarios(runner: string, url: string, mode: Mode, only: string | undefined): Promise<number> {
  const child = spawn(process.execPath, [runner, url, ...(only ? ['--only', only] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: TIMEOUT_MS,
  })
  const exit = new Promise<number>((resolveExit) => child.once('close', (code) => resolveExit(code ?? 1)))
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('ok ')) console.log(/^\d+ passed/.test(line) ? `EventStoreDB conformance, ${mode}: ${line}` : line)
  }
  return exit
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { disk: { type: 'boolean' }, memory: { type: 'boolean' }, only: { type: 'string' } },
})
const scenarios = positionals[0] ?? process.env.EVENTSTORE_CONFORMANCE
if (scenarios === undefined) {
  console.error('usage: node dist/test/conformance/eventstore.js FOLDER [--disk] [--memory] [--only REGEX]')
  process.exit(2)
}
const modes: Mode[] = values.disk || values.memory ? (['memory', 'disk'] as const).filter((mode) => values[mode]) : ['memory', 'disk']
let failures = 0
for (const mode of modes) failures += await run(resolve(scenarios), mode, values.only)
process.exit(failures > 0 ? 1 : 0)

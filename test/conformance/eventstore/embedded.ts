import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '../../crash/server-process.ts'
import { type Outcome, runScenarios } from './scenarios.ts'

export type Mode = 'memory' | 'disk'

export const MODES: readonly Mode[] = ['memory', 'disk']

/** Most of a run is waiting, so it is dealt out to several servers: scenarios that share one run one after the other. */
const SERVERS = 3

/** Runs scenarios against embedded event stores that keep their data where `mode` says. */
export async function runOnEmbedded(mode: Mode, names: readonly string[], { servers = SERVERS } = {}): Promise<Outcome[]> {
  const shares = Array.from({ length: servers }, (_, server) => names.filter((_, index) => index % servers === server))
  const outcomes = await Promise.all(shares.filter((share) => share.length > 0).map((share) => runOnOne(mode, share)))
  return outcomes.flat().sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name))
}

async function runOnOne(mode: Mode, names: readonly string[]): Promise<Outcome[]> {
  const dataDir = mode === 'disk' ? await mkdtemp(join(tmpdir(), 'quorate-conformance-')) : undefined
  try {
    const server = await startServer(dataDir === undefined ? {} : { dataDir })
    try {
      return await runScenarios(server.url, names)
    } finally {
      await server.stop()
    }
  } finally {
    if (dataDir !== undefined) await rm(dataDir, { recursive: true, force: true })
  }
}

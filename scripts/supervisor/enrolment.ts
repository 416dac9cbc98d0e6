import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Settings } from '../../adapters/process/settings.ts'
import type { CoordinatorEntry, PartyEntry } from '../../adapters/registry/entries.ts'
import { createRegistry } from '../../adapters/registry/registry-file.ts'

const ENROL_WITHIN_MS = 60_000

const script = fileURLToPath(new URL('../enrol.js', import.meta.url))

/**
 * Writes the registry of the parties and the coordinator on this machine, once: a deployment is pinned to the one that is there. Each party makes its
 * own keys, in a process of its own, because a process has one token.
 */
export async function enrolOnce({ registryFile, dataDir, parties, coordinatorId }: Settings): Promise<void> {
  if (await exists(registryFile)) return
  const enrol = async (role: 'party' | 'coordinator', id: string) => {
    const env = { ...process.env, QUORATE_DATA_DIR: dataDir }
    const { stdout } = await promisify(execFile)(process.execPath, [script, `--${role}`, id], { env, timeout: ENROL_WITHIN_MS })
    return JSON.parse(stdout)
  }
  const [coordinator, ...entries]: [CoordinatorEntry, ...PartyEntry[]] = await Promise.all([
    enrol('coordinator', coordinatorId),
    ...parties.map((id) => enrol('party', id)),
  ])
  await createRegistry(registryFile, { version: 1, parties: entries, coordinators: [coordinator] })
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

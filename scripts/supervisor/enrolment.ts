import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { InvalidSetting, registryFileIn, type Settings } from '../../adapters/process/settings.ts'
import type { CoordinatorEntry, PartyEntry } from '../../adapters/registry/entries.ts'
import { createRegistry, extendRegistry, readRegistry, requireNamedParties } from '../../adapters/registry/registry-file.ts'

const ENROL_WITHIN_MS = 60_000

const script = fileURLToPath(new URL('../enrol.js', import.meta.url))

/**
 * Writes the registry of the parties and the coordinator on this machine, once: a deployment is pinned to the one that is there. Only parties that come after
 * all that it names are added, as there are more of them now, and only where nobody has said which registry it is: one that an operator has taken out
 * stays out. Each party makes its own keys, in a process of its own, because a process has one token.
 * @throws IdentityRefused `not_enrolled`, InvalidSetting
 */
export async function enrolOnce(settings: Settings): Promise<void> {
  const { registryFile, dataDir, parties, coordinatorId } = settings
  if (!(await exists(registryFile))) {
    const [coordinator, entries] = await Promise.all([
      enrol<CoordinatorEntry>(settings, 'coordinator', coordinatorId),
      enrolParties(settings, parties),
    ])
    return createRegistry(registryFile, { version: 1, parties: entries, coordinators: [coordinator] })
  }
  const registry = await readRegistry(registryFile)
  const later = registryFile === registryFileIn(dataDir) ? parties.slice(parties.findLastIndex((id) => registry.parties.has(id)) + 1) : []
  requireNamedParties(
    registry,
    parties.filter((id) => !later.includes(id)),
  )
  if (later.length > 0) await extendRegistry(registryFile, await enrolParties(settings, later))
}

const enrolParties = (settings: Settings, ids: readonly string[]): Promise<PartyEntry[]> =>
  Promise.all(ids.map((id) => enrol<PartyEntry>(settings, 'party', id)))

/** @throws InvalidSetting with what the script says is wrong */
async function enrol<Entry>({ dataDir }: Settings, role: 'party' | 'coordinator', id: string): Promise<Entry> {
  const env = { ...process.env, QUORATE_DATA_DIR: dataDir }
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script, `--${role}`, id], { env, timeout: ENROL_WITHIN_MS })
    return JSON.parse(stdout)
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim()
    throw said ? new InvalidSetting(`${id} was not enrolled: ${said}`) : error
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

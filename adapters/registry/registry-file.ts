import { open } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { PartyKeys, Registry } from '../../domain/ports/identity.ts'
import { IdentityRefused } from '../identity/refused.ts'
import { createPrivateFile, replacePrivateFile } from '../keystore/private-file.ts'
import { InvalidSetting } from '../process/settings.ts'
import { coordinatorEntry, InvalidEntries, type PartyEntry, partyEntry, type RegistryEntries, readEntries } from './entries.ts'

const MAX_BYTES = 256 * 1024

/** Reads the registry that a deployment is pinned to. @throws InvalidSetting when there is none, or it is not sound */
export async function readRegistry(file: string): Promise<Registry> {
  const bytes = await readAtMost(file, MAX_BYTES)
  if (!bytes) throw new InvalidSetting(`QUORATE_REGISTRY: there is no file ${file}; \`npm run enrol\` prints the entries that go into it`)
  try {
    return readEntries(JSON.parse(bytes.toString('utf8')))
  } catch (error) {
    if (error instanceof SyntaxError) throw new InvalidSetting(`QUORATE_REGISTRY: ${file} is not JSON`)
    if (error instanceof InvalidEntries) throw new InvalidSetting(`QUORATE_REGISTRY: ${file}: ${error.message}`)
    throw error
  }
}

/** Writes a registry where there is none; one that is there stays as it is. @throws InvalidEntries */
export async function createRegistry(file: string, entries: RegistryEntries): Promise<void> {
  readEntries(entries)
  await createPrivateFile(file, encode(entries))
}

/** Adds parties to a registry; the entries that are there stay as they are. @throws InvalidSetting as `readRegistry`, InvalidEntries when one is there already */
export async function extendRegistry(file: string, added: readonly PartyEntry[]): Promise<void> {
  const { parties, coordinators } = await readRegistry(file)
  const entries: RegistryEntries = {
    version: 1,
    parties: [...[...parties].map(([id, keys]) => partyEntry(id, keys)), ...added],
    coordinators: [...coordinators].map(([id, key]) => coordinatorEntry(id, key)),
  }
  readEntries(entries)
  await replacePrivateFile(file, encode(entries))
}

const encode = (entries: RegistryEntries): Buffer => Buffer.from(`${JSON.stringify(entries, null, 2)}\n`)

/** @throws IdentityRefused unless the registry names each of the parties */
export function requireNamedParties({ parties }: Registry, ids: readonly string[]): void {
  for (const id of ids) if (!parties.has(id)) throw notEnrolled(id, 'party')
}

/** @throws IdentityRefused unless the registry names the party with these keys */
export function requireEnrolledParty({ parties }: Registry, id: string, keys: PartyKeys): void {
  requireEnrolled(id, 'party', parties.get(id), keys)
}

/** @throws IdentityRefused unless the registry names the coordinator with this key */
export function requireEnrolledCoordinator({ coordinators }: Registry, id: string, signing: Uint8Array): void {
  requireEnrolled(id, 'coordinator', coordinators.get(id), signing)
}

function requireEnrolled<Keys>(id: string, role: 'party' | 'coordinator', enrolled: Keys | undefined, own: Keys): void {
  if (enrolled === undefined) throw notEnrolled(id, role)
  if (!isDeepStrictEqual(enrolled, own))
    throw new IdentityRefused(
      'key_not_enrolled',
      `the keys of ${id} are not those in the registry: its data was lost or swapped, or the registry was`,
    )
}

function notEnrolled(id: string, role: 'party' | 'coordinator'): IdentityRefused {
  const enrol = `npm run --silent enrol -- --${role} ${id}`
  return new IdentityRefused('not_enrolled', `${id} is not in the registry: an operator adds what \`${enrol}\` prints`)
}

async function readAtMost(file: string, max: number): Promise<Buffer | undefined> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  if (!handle) return undefined
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(max + 1), 0, max + 1, 0)
    if (bytesRead > max) throw new InvalidSetting(`QUORATE_REGISTRY: ${file} is longer than ${max} bytes`)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

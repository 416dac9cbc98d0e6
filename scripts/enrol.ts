import { mkdir } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { openCoordinatorIdentity } from '../adapters/identity/coordinator-identity.ts'
import { openPartyIdentity } from '../adapters/identity/party-identity.ts'
import { InvalidSetting, readSettings, type Settings } from '../adapters/process/settings.ts'
import { type CoordinatorEntry, coordinatorEntry, type PartyEntry, partyEntry } from '../adapters/registry/entries.ts'
import { openPartyVault } from '../adapters/vault/party-vault.ts'
import { InvalidPartySetting, partySettings } from '../parties/settings.ts'

const USAGE = 'usage: npm run --silent enrol -- --party ID | --coordinator ID'

/**
 * `npm run enrol`: makes the keys of a party or coordinator where there are none yet, and prints what goes into the registry, one line of JSON. For a
 * party it is run where the party runs, with its settings.
 */
try {
  console.log(JSON.stringify(await enrol(process.argv.slice(2))))
} catch (error) {
  const isExpected = error instanceof InvalidSetting || error instanceof InvalidPartySetting
  console.error(isExpected ? error.message : error)
  process.exit(1)
}

async function enrol(args: string[]): Promise<PartyEntry | CoordinatorEntry> {
  const { party, coordinator } = readArguments(args)
  const settings = readSettings({ ...process.env, ...(coordinator === undefined ? {} : { QUORATE_COORDINATOR_ID: coordinator }) })
  await mkdir(settings.dataDir, { recursive: true, mode: 0o700 })
  if (party !== undefined) return enrolParty(party, settings)
  const { id, publicKey } = await openCoordinatorIdentity({ id: settings.coordinatorId, dataDir: settings.dataDir })
  return coordinatorEntry(id, publicKey)
}

async function enrolParty(partyId: string, { dataDir }: Settings): Promise<PartyEntry> {
  const settings = partySettings({ ...process.env, QUORATE_PARTY_ID: partyId }, dataDir)
  await mkdir(settings.dir, { recursive: true, mode: 0o700 })
  const vault = await openPartyVault(settings)
  try {
    const { keys } = await openPartyIdentity({ partyId, dir: settings.dir, vault })
    return partyEntry(partyId, keys)
  } finally {
    await vault.close()
  }
}

function readArguments(args: string[]): { party?: string; coordinator?: string } {
  try {
    const { values } = parseArgs({ args, options: { party: { type: 'string' }, coordinator: { type: 'string' } } })
    if ((values.party === undefined) === (values.coordinator === undefined)) throw new Error('one of the two')
    return values
  } catch {
    throw new InvalidSetting(USAGE)
  }
}

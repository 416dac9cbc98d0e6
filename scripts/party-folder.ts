import { access } from 'node:fs/promises'
import { readSettings } from '../adapters/process/settings.ts'
import { type PartySettings, partySettings } from '../parties/settings.ts'

/** What the settings say of a party that is named on the command line. @throws InvalidSetting, InvalidPartySetting */
export function namedParty(partyId: string | undefined, usage: string): PartySettings {
  if (partyId === undefined) throw new Error(usage)
  return partySettings({ ...process.env, QUORATE_PARTY_ID: partyId }, readSettings(process.env).dataDir)
}

/** @throws when the party keeps nothing on this machine */
export async function requireFolder({ partyId, dir }: PartySettings): Promise<void> {
  await access(dir).catch(() => {
    throw new Error(`${partyId} has no folder ${dir}: is QUORATE_DATA_DIR right?`)
  })
}

/** Runs a script: what goes wrong is one line on standard error, and exit code 1. */
export async function runScript(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}

import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { readPassphraseFile, strong } from '../adapters/backup/passphrase.ts'
import { openPartyIdentity } from '../adapters/identity/party-identity.ts'
import { ledgerFileIn, openLedgerFile } from '../adapters/ledger/ledger-file.ts'
import { verifyLedger } from '../adapters/ledger/verification.ts'
import { openPartyVault } from '../adapters/vault/party-vault.ts'
import { type CheckedShares, checkShares } from '../parties/folder-check.ts'
import type { PartySettings } from '../parties/settings.ts'
import { ask } from './terminal.ts'

/** What a person gives to keep a backup closed: in a file, or typed, never as an argument or in the environment, where others can see it. */
export async function passphraseFrom(file: string | undefined, { twice = false } = {}): Promise<Buffer> {
  if (file !== undefined) return readPassphraseFile(file)
  const typed = strong(Buffer.from((await ask('Passphrase of the backup: ', { secret: true })) ?? ''))
  if (twice && (await ask('Once more: ', { secret: true })) !== typed.toString()) throw new Error('the two are not the same')
  return typed
}

export type CheckedFolder = CheckedShares & { entries: number; vault: string }

/** Verifies the ledger in a party's folder, and opens its identity and every share with the vault there, or with the configured token. */
export async function checkFolder(party: PartySettings, dir: string): Promise<CheckedFolder> {
  const ledger = openLedgerFile(ledgerFileIn(dir))
  let entries: number
  try {
    entries = verifyLedger(ledger).sequence
  } finally {
    ledger.close()
  }
  const vault = await openPartyVault({ ...party, dir })
  try {
    // Opened, and made for nobody who has none.
    if (await exists(join(dir, 'identity'))) await openPartyIdentity({ partyId: party.partyId, dir, vault })
    return { ...(await checkShares({ dir, partyId: party.partyId, vault })), entries, vault: vault.description }
  } finally {
    await vault.close()
  }
}

/** @throws when a share would be lost */
export function requireSound({ problems }: CheckedFolder): void {
  if (problems.length > 0) throw new Error(problems.join('\n'))
}

export const sayWhatIsMissing = ({ token }: PartySettings): void => {
  if (token) console.log('The key that opens the shares is in the HSM, and not in the backup: back the token up by its own means.')
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

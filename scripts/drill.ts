import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { backUpParty, restoreParty } from '../adapters/backup/party-archive.ts'
import { type CheckedFolder, checkFolder, passphraseFrom, requireSound, sayWhatIsMissing } from './party-backup.ts'
import { namedParty, requireFolder, runScript } from './party-folder.ts'

const USAGE = 'usage: npm run drill -- --party ID [--archive FILE [--passphrase-file FILE]]'

/**
 * `npm run drill`: shows that a party can be restored, from an archive or from one that it makes now, in a temporary folder that is removed again. The party's own
 * folder is only read.
 */
await runScript(async () => {
  const { values } = parseArgs({
    options: { party: { type: 'string' }, archive: { type: 'string' }, 'passphrase-file': { type: 'string' } },
  })
  const party = namedParty(values.party, USAGE)
  const work = await mkdtemp(join(tmpdir(), 'quorate-drill-'))
  const began = Date.now()
  try {
    const passphrase = values.archive === undefined ? randomBytes(32) : await passphraseFrom(values['passphrase-file'])
    const archive = { file: values.archive ?? join(work, 'archive'), passphrase }
    if (values.archive === undefined) {
      await requireFolder(party)
      await backUpParty(party.dir, archive)
    }
    let checked: CheckedFolder | undefined
    const paths = await restoreParty(join(work, 'party'), archive, async (restored) => {
      checked = await checkFolder(party, restored)
      requireSound(checked)
    })
    console.log(
      `${party.partyId}: ${paths.length} files restored in ${((Date.now() - began) / 1000).toFixed(1)} s; ${checked?.shares} shares open with ${checked?.vault} and match their public packages; ${checked?.entries} entries of the ledger verified`,
    )
    sayWhatIsMissing(party)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
})

import { parseArgs } from 'node:util'
import { restoreParty } from '../adapters/backup/party-archive.ts'
import { checkFolder, passphraseFrom, requireSound } from './party-backup.ts'
import { namedParty, runScript } from './party-folder.ts'

const USAGE = 'usage: npm run restore-party -- --party ID --from FILE [--passphrase-file FILE]'

await runScript(async () => {
  const { values } = parseArgs({ options: { party: { type: 'string' }, from: { type: 'string' }, 'passphrase-file': { type: 'string' } } })
  const party = namedParty(values.party, USAGE)
  if (values.from === undefined) throw new Error(USAGE)
  const passphrase = await passphraseFrom(values['passphrase-file'])
  const paths = await restoreParty(party.dir, { file: values.from, passphrase }, async (restored) => {
    const checked = await checkFolder(party, restored)
    requireSound(checked)
    console.log(`${party.partyId}: ${checked.shares} shares open with ${checked.vault}, ${checked.entries} entries in its ledger`)
  })
  console.log(`${paths.length} files are in ${party.dir}`)
  console.log(
    `${party.partyId} starts fenced, as this may be an older copy: it signs nothing until you lift that, once it has run for a minute with the others:`,
  )
  console.log(`npm run unfence -- --party ${party.partyId} --reason TEXT`)
})

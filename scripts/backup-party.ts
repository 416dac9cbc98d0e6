import { parseArgs } from 'node:util'
import { backUpParty } from '../adapters/backup/party-archive.ts'
import { passphraseFrom, sayWhatIsMissing } from './party-backup.ts'
import { namedParty, requireFolder, runScript } from './party-folder.ts'

const USAGE = 'usage: npm run backup-party -- --party ID --to FILE [--passphrase-file FILE]'

await runScript(async () => {
  const { values } = parseArgs({ options: { party: { type: 'string' }, to: { type: 'string' }, 'passphrase-file': { type: 'string' } } })
  const party = namedParty(values.party, USAGE)
  if (values.to === undefined) throw new Error(USAGE)
  await requireFolder(party)
  const passphrase = await passphraseFrom(values['passphrase-file'], { twice: true })
  const paths = await backUpParty(party.dir, { file: values.to, passphrase })
  console.log(`${party.partyId}: ${paths.length} files are in ${values.to}`)
  sayWhatIsMissing(party)
})

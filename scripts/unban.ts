import { parseArgs } from 'node:util'
import { liftBan } from '../parties/share-store.ts'
import { namedParty, requireFolder, runScript } from './party-folder.ts'
import { ask } from './terminal.ts'

const USAGE = 'usage: npm run unban -- --party ID --key ID --counterparty ID [--yes-i-have-checked]'

await runScript(unban)

/** `npm run unban`: lets a party sign with a counterparty again that it has banned from a key, whether or not it runs. */
async function unban(): Promise<void> {
  const { values } = parseArgs({
    options: {
      party: { type: 'string' },
      key: { type: 'string' },
      counterparty: { type: 'string' },
      'yes-i-have-checked': { type: 'boolean', default: false },
    },
  })
  const { key: keyId, counterparty } = values
  if (!keyId || !counterparty) throw new Error(USAGE)
  const party = namedParty(values.party, USAGE)
  await requireFolder(party)
  console.error(warning(party.partyId, keyId, counterparty))
  const isSure = values['yes-i-have-checked'] || (await ask(`Type ${counterparty} to lift the ban: `))?.trim() === counterparty
  if (!isSure) throw new Error(`${party.partyId} keeps ${counterparty} banned from ${keyId}`)
  const wasBanned = await liftBan(party.dir, keyId, counterparty)
  console.log(
    wasBanned
      ? `${party.partyId} signs with ${counterparty} again as soon as ${keyId} is refreshed`
      : `${counterparty} is not banned from ${keyId} by ${party.partyId}`,
  )
}

function warning(partyId: string, keyId: string, counterparty: string): string {
  return `
${partyId} uses ${keyId} with ${counterparty} no more: a multiplication between the two did not check. Honest parties on sound machines do not fail it, and
each failure may tell the other side something of the key.

Lift the ban only when
  - you know why it failed, and that ${counterparty} (its machine, its software, its folder) is sound again,
  - no other holder has banned ${counterparty}, or the reason is the same, and
  - you can have the key refreshed afterwards: what the two had in common is destroyed, and made anew by the next refresh only.
`
}

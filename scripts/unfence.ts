import { hostname, userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import { type Fenced, liftFence, readFence } from '../adapters/ledger/fence.ts'
import { ledgerFileIn } from '../adapters/ledger/ledger-file.ts'
import { namedParty, requireFolder, runScript } from './party-folder.ts'
import { ask } from './terminal.ts'

const USAGE = 'usage: npm run unfence -- --party ID --reason TEXT [--yes-i-have-checked]'

await runScript(unfence)

/** `npm run unfence`: lets a party sign again whose store is older than what it has signed, whether or not it runs. */
async function unfence(): Promise<void> {
  const { values } = parseArgs({
    options: { party: { type: 'string' }, reason: { type: 'string' }, 'yes-i-have-checked': { type: 'boolean', default: false } },
  })
  const reason = values.reason?.trim()
  if (!reason) throw new Error(USAGE)
  const party = namedParty(values.party, USAGE)
  await requireFolder(party)
  const file = ledgerFileIn(party.dir)
  const fenced = readFence(file)
  if (!fenced) return console.log(`${party.partyId} is not fenced`)
  console.error(warning(party.partyId, fenced))
  const isSure = values['yes-i-have-checked'] || (await ask(`Type ${party.partyId} to lift the fence: `))?.trim() === party.partyId
  if (!isSure) throw new Error(`${party.partyId} stays fenced`)
  const head = liftFence(file, { by: `${userInfo().username}@${hostname()}`, reason })
  console.log(
    head ? `the fence of ${party.partyId} is lifted; its ledger goes on from entry ${head.sequence}` : 'somebody else has lifted it',
  )
}

function warning(partyId: string, { head, witnessed }: Fenced): string {
  const seen =
    witnessed.sequence === head.sequence && Buffer.compare(witnessed.hash, head.hash) === 0
      ? 'it was restored, and no other party has told it yet of anything it has signed since'
      : `the other parties have seen it at entry ${witnessed.sequence}`
  return `
${partyId} is fenced. Its ledger ends with entry ${head.sequence}; ${seen}.

What it has signed, and this store does not have, it will sign again for whoever is allowed to ask: another transaction with the same nonce or the
same inputs, another digest in the same session, a second use of an intent that has not expired. Shares that were refreshed or made since are not in this
store either.

Lift the fence only when
  - no newer copy of this store exists that could be used instead,
  - no other process runs with this party's identity,
  - you have waited until every intent of the lost time has expired (5 minutes; approvals 24 hours), and
  - no transaction of the lost time is still waiting to be put on a chain.
`
}

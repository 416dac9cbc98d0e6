/** A party in a process of its own. Arguments: the folder of its test system, its id, the broker's URL, and `dies` when it is to be killed between claim and answer. */
import { join } from 'node:path'
import { hpkeSealing } from '../../adapters/hpke/sealing.ts'
import { verifyJws } from '../../adapters/jws/verify-jws.ts'
import { ledgerFileIn } from '../../adapters/ledger/ledger-file.ts'
import { openSigningLedger } from '../../adapters/ledger/signing-ledger.ts'
import { connectMessages } from '../../adapters/nats/messages.ts'
import { partyEndpoint } from '../../adapters/nats/party-channel.ts'
import type { SigningLedger } from '../../domain/ports/signing-ledger.ts'
import { serveParty } from '../../parties/service.ts'
import { openShareStore } from '../../parties/share-store.ts'
import { enrolTestParties } from '../ceremony/identities.ts'

const [folder, id, url, dies] = process.argv.slice(2) as [string, string, string, string | undefined]
const dir = join(folder, id)
const identities = await enrolTestParties(folder, [id])
const { identity, sealingKey, vault } = identities.party(id)
const messages = await connectMessages({ url, name: id })
const opened = openSigningLedger({ file: ledgerFileIn(dir) })
const ledger: SigningLedger = {
  ...opened,
  async claim(...claim) {
    const head = await opened.claim(...claim)
    if (dies === 'dies') process.kill(process.pid, 'SIGKILL')
    return head
  },
}
const end = { ...identities.witness, identity }
serveParty({
  partyId: id,
  endpoint: partyEndpoint(messages, end),
  shares: await openShareStore({ dir, partyId: id, vault }),
  voice: { ...end, sealing: hpkeSealing(sealingKey) },
  ledger,
  // It is alone.
  fence: { assertLifted() {} },
  verify: verifyJws,
  chains: new Map(),
  prices: { usdCents: () => undefined },
  presignatureTtlMs: 60_000,
  onFailure: (error) => console.error(error),
})
await messages.ping()
process.stdout.write('ready\n')

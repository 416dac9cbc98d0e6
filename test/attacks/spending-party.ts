/** Uses intents for a signature and for a key, and is killed as soon as it was told that they are recorded. Argument: the file of its ledger. */
import { openSigningLedger } from '../../adapters/ledger/signing-ledger.ts'
import { newClaim } from '../contract/signing-ledger.ts'

const ledger = openSigningLedger({ file: process.argv[2]! })
await Promise.all([
  ledger.claim(newClaim({ intents: ['intent-of-signature', 'approval-of-signature'] })),
  ledger.spend(['intent-of-key'], 'generate key'),
])
process.kill(process.pid, 'SIGKILL')

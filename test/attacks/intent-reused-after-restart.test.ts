import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { openSigningLedger } from '../../adapters/ledger/signing-ledger.ts'
import { ClaimRefused } from '../../domain/ports/signing-ledger.ts'
import { newClaim } from '../contract/signing-ledger.ts'

test('an intent that a party has used is refused for anything else after the party was killed', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'quorate-intents-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const file = join(dir, 'ledger.db')
  const party = spawn(process.execPath, [join(import.meta.dirname, 'spending-party.js'), file], { stdio: ['ignore', 'inherit', 'inherit'] })
  const [, signal] = await once(party, 'exit')
  t.is(signal, 'SIGKILL')

  const ledger = openSigningLedger({ file })
  t.teardown(() => ledger.close())
  const reused = { instanceOf: ClaimRefused, code: 'intent_reused' }
  for (const intent of ['intent-of-signature', 'approval-of-signature', 'intent-of-key']) {
    await t.throwsAsync(ledger.claim(newClaim({ intents: ['fresh', intent] })), reused)
    await t.throwsAsync(ledger.spend([intent], 'generate another-key'), reused)
  }
  await t.notThrowsAsync(ledger.spend(['intent-of-key'], 'generate key'), 'what it was used for may be asked again')
  await t.notThrowsAsync(ledger.claim(newClaim({ intents: ['fresh'] })))
  t.deepEqual(ledger.refusals(), { signed_otherwise: 0, slot_taken: 0, intent_reused: 6, limit_exceeded: 0 })
})

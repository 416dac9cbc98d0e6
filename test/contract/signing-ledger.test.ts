import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { openSigningLedger } from '../../adapters/ledger/signing-ledger.ts'
import { testSigningLedger } from './signing-ledger.ts'

const dir = await mkdtemp(join(tmpdir(), 'quorate-ledger-'))
test.after.always(() => rm(dir, { recursive: true, force: true }))

testSigningLedger(test, 'sqlite', {
  open: async (name, now) => openSigningLedger({ file: join(dir, `${name}.db`), ...(now && { now }) }),
})

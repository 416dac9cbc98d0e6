import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { openKeystore } from '../../adapters/keystore/vault.ts'
import { prepareSoftHsm } from '../../adapters/pkcs11/softhsm.ts'
import { openPkcs11Vault } from '../../adapters/pkcs11/vault.ts'
import { testVault } from './vault.ts'

const dir = mkdtempSync(join(tmpdir(), 'quorate-vault-'))
const softHsm = await prepareSoftHsm({ dir: join(dir, 'softhsm'), label: 'quorate-contract', pin: '271828', soPin: '314159' })

test.after.always(() => rmSync(dir, { recursive: true, force: true }))

// Deriving a key at its full cost, many times at once, would keep everything else waiting.
const keystore = { passphrase: 'correct horse', cost: { N: 4_096, r: 8, p: 1 } }

testVault(test, 'keystore', {
  open: () => openKeystore({ dir: join(dir, 'one'), ...keystore }),
  openOther: () => openKeystore({ dir: join(dir, 'other'), ...keystore }),
})

if (softHsm) {
  const token = { ...softHsm, pin: '271828' }
  testVault(test, 'PKCS#11 (SoftHSM)', {
    open: () => openPkcs11Vault({ ...token, keyLabel: 'one' }),
    openOther: () => openPkcs11Vault({ ...token, keyLabel: 'other' }),
  })
} else test.skip('PKCS#11: SoftHSM or pkcs11js is not installed', () => {})

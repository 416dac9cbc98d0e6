import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { verifyIdentity } from '../identity/verify.ts'
import { CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN } from './cryptoki.ts'
import { findObjects } from './key.ts'
import { useModule } from './module.ts'
import { prepareSoftHsm } from './softhsm.ts'
import { findToken, listTokens } from './token.ts'
import { openPkcs11Vault } from './vault.ts'

const PIN = '271828'
const dir = mkdtempSync(join(tmpdir(), 'quorate-softhsm-'))
const softHsm = await prepareSoftHsm({ dir, label: 'quorate-test', pin: PIN, soPin: '314159' })
const message = new TextEncoder().encode('said by a party')

test.after.always(() => rmSync(dir, { recursive: true, force: true }))

if (softHsm) {
  const open = (keyLabel: string) => openPkcs11Vault({ ...softHsm, pin: PIN, keyLabel })

  /** A session beside the vault's, which is logged in as long as a vault is open. */
  const withSession = <Result>(use: (module: ReturnType<typeof useModule>, session: Buffer) => Result): Result => {
    const module = useModule(softHsm.modulePath)
    const { driver, cryptoki } = module
    const { handle } = findToken(listTokens(driver, cryptoki), { label: softHsm.tokenLabel })
    const session = cryptoki.C_OpenSession(handle, driver.CKF_SERIAL_SESSION | driver.CKF_RW_SESSION)
    try {
      return use(module, session)
    } finally {
      cryptoki.C_CloseSession(session)
      module.release()
    }
  }

  test.serial('a key made in the token signs, also after it was opened again, and many times at once', async (t) => {
    const before = await open('kept')
    const key = await before.signingKey()
    t.is(key?.publicKey.length, 32)
    const signatures = await Promise.all(Array.from({ length: 16 }, () => key!.sign(message)))
    for (const signature of signatures) t.true(verifyIdentity(key!.publicKey, message, signature))
    await before.close()
    const after = await open('kept')
    t.teardown(() => after.close())
    t.deepEqual((await after.signingKey())?.publicKey, key?.publicKey)
  })

  test.serial('the private key cannot be read or made readable', async (t) => {
    const vault = await open('secret')
    t.teardown(() => vault.close())
    await vault.signingKey()
    withSession(({ driver, cryptoki }, session) => {
      const [key] = findObjects(driver, cryptoki, session, [
        { type: driver.CKA_CLASS, value: driver.CKO_PRIVATE_KEY },
        { type: driver.CKA_KEY_TYPE, value: CKK_EC_EDWARDS },
        { type: driver.CKA_LABEL, value: 'secret-identity' },
      ])
      t.throws(() => cryptoki.C_GetAttributeValue(session, key!, [{ type: driver.CKA_VALUE }]), { message: 'CKR_ATTRIBUTE_SENSITIVE' })
      t.throws(() => cryptoki.C_SetAttributeValue(session, key!, [{ type: driver.CKA_EXTRACTABLE, value: true }]))
      t.throws(() => cryptoki.C_SetAttributeValue(session, key!, [{ type: driver.CKA_SENSITIVE, value: false }]))
    })
  })

  test.serial('a key of the same label that could leave the token, or one of several, is not used', async (t) => {
    const vault = await open('planted')
    t.teardown(() => vault.close())
    const plant = () =>
      withSession(({ driver, cryptoki }, session) => {
        const kept = [
          { type: driver.CKA_TOKEN, value: true },
          { type: driver.CKA_LABEL, value: 'planted-identity' },
        ]
        cryptoki.C_GenerateKeyPair(
          session,
          { mechanism: CKM_EC_EDWARDS_KEY_PAIR_GEN },
          [...kept, { type: driver.CKA_EC_PARAMS, value: Buffer.from('06032b6570', 'hex') }],
          [...kept, { type: driver.CKA_PRIVATE, value: true }, { type: driver.CKA_EXTRACTABLE, value: true }],
        )
      })
    plant()
    await t.throwsAsync(vault.signingKey(), { code: 'key_exportable' })
    // After a refusal its sessions, and the login with them, are made anew.
    await vault.ping()
    plant()
    await t.throwsAsync(vault.signingKey(), { code: 'key_ambiguous' })
  })
} else test.skip('SoftHSM is not installed', () => {})

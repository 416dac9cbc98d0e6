import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { findKeys } from './key.ts'
import { isDriverInstalled, useModule } from './module.ts'
import { prepareSoftHsm } from './softhsm.ts'
import { findToken, listTokens } from './token.ts'
import { openPkcs11Vault } from './vault.ts'

const PIN = '271828'
const SO_PIN = '314159'
const dir = mkdtempSync(join(tmpdir(), 'quorate-softhsm-'))
const prepare = () => prepareSoftHsm({ dir, label: 'quorate-test', pin: PIN, soPin: SO_PIN })
const softHsm = await prepare()

test.after.always(() => rmSync(dir, { recursive: true, force: true }))

test('a module that is not there, or cannot be driven, is named in a coded error', async (t) => {
  const opening = openPkcs11Vault({ modulePath: '/nonexistent/module.so', pin: PIN, keyLabel: 'key' })
  const expected = isDriverInstalled() ? { code: 'module_not_loaded', message: /nonexistent/ } : { code: 'driver_missing' }
  await t.throwsAsync(opening, { name: 'TokenRefused', ...expected })
})

if (softHsm) {
  // One after another: a login holds for the whole process, and would let a wrong PIN pass.
  test.serial('a wrong PIN is refused, and the refusal does not repeat it', async (t) => {
    const error = await t.throwsAsync(openPkcs11Vault({ ...softHsm, pin: '987654', keyLabel: 'key' }), { code: 'pin_refused' })
    t.notRegex(`${error?.stack} ${error?.cause}`, /987654/)
  })

  test.serial('a token that is not there is a coded error', async (t) => {
    await t.throwsAsync(openPkcs11Vault({ ...softHsm, tokenLabel: 'another', pin: PIN, keyLabel: 'key' }), { code: 'token_not_found' })
  })

  test.serial('preparing again keeps the token and its keys', async (t) => {
    const before = await openPkcs11Vault({ ...softHsm, pin: PIN, keyLabel: 'kept' })
    const sealed = await before.seal(Buffer.from('secret'), Buffer.of())
    await before.close()
    t.deepEqual(await prepare(), softHsm)
    t.is(readdirSync(join(dir, 'tokens')).length, 1)
    const after = await openPkcs11Vault({ ...softHsm, pin: PIN, keyLabel: 'kept' })
    t.is(Buffer.from(await after.open(sealed, Buffer.of())).toString(), 'secret')
    t.is(after.description, 'pkcs11 (SoftHSM v2, token quorate-test)')
    await after.close()
  })

  test.serial('sessions and the login that the device has lost are made anew', async (t) => {
    const vault = await openPkcs11Vault({ ...softHsm, pin: PIN, keyLabel: 'key' })
    t.teardown(() => vault.close())
    const sealed = await vault.seal(Buffer.from('secret'), Buffer.of())
    await Promise.all([vault.ping(), vault.ping()])
    const { driver, cryptoki, release } = useModule(softHsm.modulePath)
    t.teardown(release)
    cryptoki.C_CloseAllSessions(findToken(listTokens(driver, cryptoki), { label: softHsm.tokenLabel }).handle)
    await t.throwsAsync(vault.open(sealed, Buffer.of()), { instanceOf: Unavailable })
    t.is(Buffer.from(await vault.open(sealed, Buffer.of())).toString(), 'secret')
    await t.notThrowsAsync(Promise.all([vault.ping(), vault.ping()]))
  })

  test.serial('the token is for its owner only, and no PIN is on disk in the clear', (t) => {
    t.is(statSync(join(dir, 'tokens')).mode & 0o777, 0o700)
    const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((file) => join(dir, file))
    for (const file of files.filter((name) => statSync(name).isFile())) {
      const content = readFileSync(file, 'latin1')
      t.false(content.includes(PIN) || content.includes(SO_PIN), file)
    }
  })

  test.serial('the key cannot be read, copied into a readable one or wrapped', async (t) => {
    const vault = await openPkcs11Vault({ ...softHsm, pin: PIN, keyLabel: 'secret key' })
    const { driver, cryptoki, release } = useModule(softHsm.modulePath)
    const { handle } = findToken(listTokens(driver, cryptoki), { label: softHsm.tokenLabel })
    const session = cryptoki.C_OpenSession(handle, driver.CKF_SERIAL_SESSION | driver.CKF_RW_SESSION)
    const [key] = findKeys(driver, cryptoki, session, 'secret key')
    t.throws(() => cryptoki.C_GetAttributeValue(session, key!, [{ type: driver.CKA_VALUE }]), { message: 'CKR_ATTRIBUTE_SENSITIVE' })
    t.throws(() => cryptoki.C_SetAttributeValue(session, key!, [{ type: driver.CKA_EXTRACTABLE, value: true }]))
    t.throws(() => cryptoki.C_SetAttributeValue(session, key!, [{ type: driver.CKA_SENSITIVE, value: false }]))
    const wrapping = cryptoki.C_GenerateKey(session, { mechanism: driver.CKM_AES_KEY_GEN }, [
      { type: driver.CKA_CLASS, value: driver.CKO_SECRET_KEY },
      { type: driver.CKA_VALUE_LEN, value: 32 },
      { type: driver.CKA_TOKEN, value: false },
      { type: driver.CKA_WRAP, value: true },
    ])
    const wrap = () => cryptoki.C_WrapKey(session, { mechanism: driver.CKM_AES_KEY_WRAP }, wrapping, key!, Buffer.alloc(256))
    t.throws(wrap, { message: 'CKR_KEY_UNEXTRACTABLE' })
    cryptoki.C_CloseSession(session)
    release()
    await vault.close()
  })

  test.serial('a key of the same label that could leave the token is not used', async (t) => {
    const vault = await openPkcs11Vault({ ...softHsm, pin: PIN, keyLabel: 'for the login' })
    const { driver, cryptoki, release } = useModule(softHsm.modulePath)
    const { handle } = findToken(listTokens(driver, cryptoki), { label: softHsm.tokenLabel })
    const session = cryptoki.C_OpenSession(handle, driver.CKF_SERIAL_SESSION | driver.CKF_RW_SESSION)
    const plant = () =>
      cryptoki.C_GenerateKey(session, { mechanism: driver.CKM_AES_KEY_GEN }, [
        { type: driver.CKA_CLASS, value: driver.CKO_SECRET_KEY },
        { type: driver.CKA_VALUE_LEN, value: 32 },
        { type: driver.CKA_TOKEN, value: true },
        { type: driver.CKA_LABEL, value: 'planted' },
        { type: driver.CKA_EXTRACTABLE, value: true },
      ])
    plant()
    await t.throwsAsync(openPkcs11Vault({ ...softHsm, pin: PIN, keyLabel: 'planted' }), { code: 'key_exportable' })
    plant()
    await t.throwsAsync(openPkcs11Vault({ ...softHsm, pin: PIN, keyLabel: 'planted' }), { code: 'key_ambiguous' })
    cryptoki.C_CloseSession(session)
    release()
    await vault.close()
  })
} else test.skip('SoftHSM is not installed', () => {})

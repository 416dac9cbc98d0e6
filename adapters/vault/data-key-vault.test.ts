import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { DataKeys } from '../../domain/ports/data-keys.ts'
import type { Vault } from '../../domain/ports/vault.ts'
import { openKeyFolder } from '../data-keys/key-folder.ts'
import { openRequestKey } from '../data-keys/request-key.ts'
import { temporaryFolder } from '../data-keys/testing/temporary-keys.ts'
import { prepareSoftHsm } from '../pkcs11/softhsm.ts'
import type { DataKeySettings } from '../process/settings.ts'
import { openDataKeyVault } from './data-key-vault.ts'

const PIN = '271828'
const hsm = mkdtempSync(join(tmpdir(), 'quorate-softhsm-'))
const softHsm = await prepareSoftHsm({ dir: hsm, label: 'quorate-data-keys', pin: PIN, soPin: '314159' })
test.after.always(() => rmSync(hsm, { recursive: true, force: true }))

async function opened(t: ExecutionContext, settings: DataKeySettings): Promise<Vault> {
  const vault = await openDataKeyVault(settings)
  t.teardown(() => vault.close())
  return vault
}

/** Of what two processes that start together seal each opens what the other has sealed. */
async function openTheSame(t: ExecutionContext, settings: DataKeySettings): Promise<void> {
  const { dir } = settings
  const vaults = await Promise.all([opened(t, settings), opened(t, settings)])
  const [one, other] = vaults.map((vault) => openKeyFolder({ dir, vault })) as [DataKeys, DataKeys]
  t.is(await other.open('w', 'name', await one.seal('w', 'name', 'Ada')), 'Ada')
  const [key, again] = await Promise.all(vaults.map((vault) => openRequestKey({ dir, vault })))
  t.is(key!.length, 32)
  t.deepEqual(key, again!)
}

test('processes that start together over one folder have one keystore and one key for requests', async (t) => {
  await openTheSame(t, { dir: temporaryFolder(t), token: undefined })
})

test('data keys that another vault has sealed are not gone on with', async (t) => {
  const dir = temporaryFolder(t)
  await opened(t, { dir, token: undefined })
  rmSync(join(dir, 'keystore'), { recursive: true })
  await t.throwsAsync(openDataKeyVault({ dir, token: undefined }), { name: 'InvalidSetting', message: /sealed by another vault/ })
})

if (softHsm)
  test('with a token its key is made once, also by processes that start together', async (t) => {
    const { modulePath } = softHsm
    await openTheSame(t, { dir: temporaryFolder(t), token: { modulePath, slot: undefined, pin: PIN } })
  })
else test.skip('a token: SoftHSM or pkcs11js is not installed', () => {})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { openKeyFolder } from '../../adapters/data-keys/key-folder.ts'
import { readDataKeySettings } from '../../adapters/process/settings.ts'
import { openDataKeyVault } from '../../adapters/vault/data-key-vault.ts'
import { openPersonalHere } from './in-clear.ts'

test('what a key opens is shown, what is erased is null, and what a damaged key hides stays sealed beside it', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-in-clear-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  const settings = readDataKeySettings({}, dataDir)
  const keys = openKeyFolder({ dir: settings.dir, vault: await openDataKeyVault(settings) })
  const [walletId, erasedId] = ['shown', 'erased']
  const name = await keys.seal(walletId, 'name', '"Ada"')
  const ofAnotherField = await keys.seal(walletId, 'memo', '"of another field"')
  const erased = await keys.seal(erasedId, 'name', '"Bob"')
  await keys.eraseBefore(erasedId, await keys.renew(erasedId))
  await keys.close()

  const personal = openPersonalHere(dataDir)
  t.teardown(personal.close)
  t.deepEqual(
    await personal.inClear({
      wallet: { walletId, name },
      key: { walletId, reason: ofAnotherField },
      other: { walletId: erasedId, name: erased },
    }),
    { wallet: { walletId, name: 'Ada' }, key: { walletId, reason: ofAnotherField }, other: { walletId: erasedId, name: null } },
  )
})

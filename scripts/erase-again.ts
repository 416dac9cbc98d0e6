import { openKeyFolder } from '../adapters/data-keys/key-folder.ts'
import { readDataKeySettings, readSettings } from '../adapters/process/settings.ts'
import { openDataKeyVault } from '../adapters/vault/data-key-vault.ts'
import { openLog } from './history/log.ts'

try {
  await eraseAgain()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** `npm run erase-again`: destroys what data keys are there again of those that the log says are erased, after their folder was put back from a backup. */
async function eraseAgain(): Promise<void> {
  const settings = readSettings(process.env)
  const keySettings = readDataKeySettings(process.env, settings.dataDir)
  const keys = openKeyFolder({ dir: keySettings.dir, vault: await openDataKeyVault(keySettings) })
  const { log, source, close } = await openLog(settings)
  try {
    let erasures = 0
    for await (const { type, data } of log.readAll()) {
      if (type !== 'PersonalDataErased') continue
      const { walletId, keysBefore } = data as { walletId: string; keysBefore: number }
      await keys.eraseBefore(walletId, keysBefore)
      erasures++
    }
    console.log(JSON.stringify({ from: source, erasures }))
  } finally {
    await close()
    await keys.close()
  }
}

import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { hpkeSealing } from '../adapters/hpke/sealing.ts'
import { readOrCreatePassphrase } from '../adapters/keystore/passphrase.ts'
import { openKeystore } from '../adapters/keystore/vault.ts'
import { connectMessages } from '../adapters/nats/messages.ts'
import { partyEndpoint } from '../adapters/nats/party-channel.ts'
import { TokenRefused } from '../adapters/pkcs11/refused.ts'
import { findSoftHsm, prepareSoftHsm } from '../adapters/pkcs11/softhsm.ts'
import { openPkcs11Vault } from '../adapters/pkcs11/vault.ts'
import { runProcess } from '../adapters/process/lifecycle.ts'
import { createLogger } from '../adapters/process/logger.ts'
import { InvalidSetting, readSettings } from '../adapters/process/settings.ts'
import { VERSION } from '../adapters/process/version.ts'
import type { Vault } from '../domain/ports/vault.ts'
import { announceHealth } from './health.ts'
import { rehearse } from './rehearsal.ts'
import { serveParty, systemRandom } from './service.ts'
import { InvalidPartySetting, type PartySettings, partySettings } from './settings.ts'
import { openShareStore } from './share-store.ts'
import { unchecked } from './unchecked.ts'

/** A signing party: one process, one vault, one folder of sealed shares. */
await runProcess(process.env.QUORATE_PARTY_ID ?? 'party', async () => {
  const { natsUrl, dataDir, logLevel } = readSettings(process.env)
  if (!natsUrl) throw new InvalidSetting('QUORATE_NATS_URL must be set; `npm start` does so for its own processes')
  const settings = readPartySettings(dataDir)
  const { partyId, dir, presignatureTtlMs } = settings
  const logger = createLogger(partyId, logLevel)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const vault = await openVault(settings)
  const shares = await openShareStore({ dir, partyId, vault })
  rehearse(systemRandom)
  const onFailure = (error: unknown) => logger.error({ err: error }, 'the party failed to answer a request')
  const messages = await connectMessages({ url: natsUrl, name: partyId, onHandlerError: onFailure })
  const party = serveParty({
    partyId,
    endpoint: partyEndpoint(messages),
    shares,
    sealing: hpkeSealing,
    guards: unchecked,
    presignatureTtlMs,
    onFailure,
  })
  const startedAt = new Date().toISOString()
  const stopHealth = announceHealth(messages, partyId, async () => ({
    partyId,
    pid: process.pid,
    startedAt,
    version: VERSION,
    vault: vault.description,
    keysOpen: await vault.ping().then(
      () => true,
      () => false,
    ),
    shares: shares.count,
    openCeremonies: party.openCeremonies,
  }))
  await messages.ping()
  return {
    details: { vault: vault.description },
    async close() {
      await stopHealth()
      await party.close()
      await messages.close()
      await vault.close()
    },
  }
})

function readPartySettings(dataDir: string): PartySettings {
  try {
    return partySettings(process.env, dataDir)
  } catch (error) {
    throw error instanceof InvalidPartySetting ? new InvalidSetting(error.message) : error
  }
}

/** The configured token; or a SoftHSM token of the party's own; or, where there is neither, a keystore. Whichever holds shares already is stayed with. */
async function openVault({ token, dir, partyId }: PartySettings): Promise<Vault> {
  const keyLabel = `quorate-${partyId}`
  if (token) return openPkcs11Vault({ ...token, keyLabel })
  const keystore = join(dir, 'keystore')
  const softHsm = join(dir, 'softhsm')
  if (await isEmpty(keystore)) {
    const vault = await openSoftHsmVault(softHsm, keyLabel)
    if (vault) return vault
    if (!(await isEmpty(join(softHsm, 'tokens'))))
      throw new InvalidSetting(`the shares of ${partyId} are sealed by a SoftHSM token, and SoftHSM or the package pkcs11js is gone`)
  }
  return openKeystore({ dir: keystore, passphrase: await readOrCreatePassphrase(join(dir, 'keystore-passphrase')) })
}

/** Undefined when SoftHSM or the package that drives it is not installed. */
async function openSoftHsmVault(dir: string, label: string): Promise<Vault | undefined> {
  if ((await findSoftHsm()) === undefined) return undefined
  const secret = Buffer.from(await readOrCreatePassphrase(join(dir, 'pins')))
  const [pin, soPin] = [secret.subarray(0, 16).toString('hex'), secret.subarray(16).toString('hex')]
  try {
    const token = await prepareSoftHsm({ dir, label, pin, soPin })
    return token && (await openPkcs11Vault({ ...token, pin, keyLabel: label }))
  } catch (error) {
    if (error instanceof TokenRefused && (error.code === 'driver_missing' || error.code === 'module_not_loaded')) return undefined
    throw error
  }
}

async function isEmpty(dir: string): Promise<boolean> {
  try {
    return (await readdir(dir)).length === 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
    throw error
  }
}

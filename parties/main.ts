import { mkdir } from 'node:fs/promises'
import { openChains } from '../adapters/chains/registry.ts'
import { hpkeSealing } from '../adapters/hpke/sealing.ts'
import { openPartyIdentity } from '../adapters/identity/party-identity.ts'
import { verifyIdentity } from '../adapters/identity/verify.ts'
import { verifyJws } from '../adapters/jws/verify-jws.ts'
import { ledgerFileIn } from '../adapters/ledger/ledger-file.ts'
import { openSigningLedger } from '../adapters/ledger/signing-ledger.ts'
import { openWitnessStore } from '../adapters/ledger/witness-store.ts'
import { connectMessages } from '../adapters/nats/messages.ts'
import { partyEndpoint } from '../adapters/nats/party-channel.ts'
import { openPrices } from '../adapters/prices/static-table.ts'
import { runProcess } from '../adapters/process/lifecycle.ts'
import { createLogger } from '../adapters/process/logger.ts'
import { InvalidSetting, readSettings } from '../adapters/process/settings.ts'
import { VERSION } from '../adapters/process/version.ts'
import { readRegistry, requireEnrolledParty } from '../adapters/registry/registry-file.ts'
import { openPartyVault } from '../adapters/vault/party-vault.ts'
import { raiseFence } from './fence.ts'
import { announceHealth } from './health.ts'
import { rehearse } from './rehearsal.ts'
import { serveParty, systemRandom } from './service.ts'
import { InvalidPartySetting, type PartySettings, partySettings } from './settings.ts'
import { openShareStore } from './share-store.ts'
import { refusedClaims } from './sign-once.ts'
import { bearWitness } from './witness.ts'

/** A signing party: one process, one vault, one folder of sealed shares. */
await runProcess(process.env.QUORATE_PARTY_ID ?? 'party', async () => {
  const { natsUrl, dataDir, registryFile, chainsFile, pricesFile, logLevel } = readSettings(process.env)
  if (!natsUrl) throw new InvalidSetting('QUORATE_NATS_URL must be set; `npm start` does so for its own processes')
  const settings = readPartySettings(dataDir)
  const { partyId, dir, presignatureTtlMs } = settings
  const logger = createLogger(partyId, logLevel)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const registry = await readRegistry(registryFile)
  const chains = await openChains(chainsFile)
  const prices = await openPrices(pricesFile)
  const vault = await openPartyVault(settings)
  const { identity, keys, sealingKey } = await openPartyIdentity({ partyId, dir, vault })
  requireEnrolledParty(registry, partyId, keys)
  const shares = await openShareStore({ dir, partyId, vault })
  rehearse(systemRandom)
  // The libraries behind them take longer to load than a round may take.
  for (const chain of chains.values()) await chain.transactions()
  const onFailure = (error: unknown) => logger.error({ err: error }, 'the party failed to answer a request')
  const messages = await connectMessages({ url: natsUrl, name: partyId, onHandlerError: onFailure })
  const end = { identity, registry, verify: verifyIdentity }
  const endpoint = partyEndpoint(messages, end)
  const file = ledgerFileIn(dir)
  const ledger = openSigningLedger({ file, onCorrupt: (error) => logger.fatal({ err: error }, 'the party signs nothing any more') })
  const store = openWitnessStore({ file })
  const stopWitness = bearWitness({ ...end, messages, store, onFailure })
  const onChange = (isUp: boolean) => logger.warn({ fenced: isUp }, isUp ? 'the party is fenced and signs nothing' : 'the fence is lifted')
  const fence = raiseFence({ ...end, messages, ledger, store, onFailure, onChange })
  const voice = { ...end, sealing: hpkeSealing(sealingKey) }
  const party = serveParty({
    partyId,
    endpoint,
    shares,
    voice,
    verify: verifyJws,
    ledger,
    fence,
    chains,
    prices,
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
    unwrittenBans: shares.unwrittenBans,
    openCeremonies: party.openCeremonies,
    fenced: fence.isUp,
    claimsRefused: refusedClaims(ledger),
    refusedMessages: endpoint.refusedMessages,
  }))
  await messages.ping()
  return {
    details: { vault: vault.description },
    async close() {
      await stopHealth()
      await party.close()
      await fence.close()
      await stopWitness()
      await messages.close()
      await ledger.close()
      store.close()
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

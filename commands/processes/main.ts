import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { openChainNodes } from '../../adapters/chains/nodes.ts'
import { openChains } from '../../adapters/chains/registry.ts'
import { rpcLog } from '../../adapters/chains/rpc/log.ts'
import { rpcTally } from '../../adapters/chains/rpc/tally.ts'
import { openKeyFolder } from '../../adapters/data-keys/key-folder.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { openCoordinatorIdentity } from '../../adapters/identity/coordinator-identity.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import { connectMessages } from '../../adapters/nats/messages.ts'
import { connectPartyChannel } from '../../adapters/nats/party-channel.ts'
import { watchParties } from '../../adapters/nats/party-directory.ts'
import { runProcess } from '../../adapters/process/lifecycle.ts'
import { createLogger, logFailure } from '../../adapters/process/logger.ts'
import { readDataKeySettings, readSettings, requireUrls } from '../../adapters/process/settings.ts'
import { readRegistry, requireEnrolledCoordinator } from '../../adapters/registry/registry-file.ts'
import { openDataKeyVault } from '../../adapters/vault/data-key-vault.ts'
import { withCurrentEvents } from '../../domain/current-events.ts'
import { rememberingLog } from '../load.ts'
import { announceCoordinator } from './announcement.ts'
import { type Load, runConsumer } from './consumer.ts'
import { erasureProcess } from './erasure.ts'
import { runExpiry } from './expiry.ts'
import { keyAttachmentProcess } from './key-attachment.ts'
import { keyGenerationProcess } from './key-generation.ts'
import { keyRefreshProcess } from './key-refresh.ts'
import { keyRefreshCompletionProcess } from './key-refresh-completion.ts'
import { keyRevocationProcess } from './key-revocation.ts'
import { policyChangeProcess } from './policy-change.ts'
import { presignaturesProcess, recordPresignatures } from './presignatures.ts'
import { publishProgress } from './progress.ts'
import { queueReach } from './queue-reach.ts'
import { shareRecoveryProcess } from './share-recovery.ts'
import { signingProcess } from './signing.ts'
import { signingQueue } from './signing-queue.ts'
import { obeyOrders } from './standing/orders.ts'
import { createPartyStanding } from './standing/party-standing.ts'
import { pingParties } from './standing/pings.ts'
import { recordChanges } from './standing/record-changes.ts'
import { keepStock } from './stock-keeping.ts'
import { runTransfers } from './transfers/transfers.ts'

/** The coordinator: the process managers that react to events by having the parties work and by issuing commands. */
await runProcess('processes', async () => {
  const settings = readSettings(process.env)
  const urls = requireUrls(settings)
  const logger = createLogger('processes', settings.logLevel)
  const registry = await readRegistry(settings.registryFile)
  const identity = await openCoordinatorIdentity({ id: settings.coordinatorId, dataDir: settings.dataDir })
  requireEnrolledCoordinator(registry, identity.id, identity.publicKey)
  const keySettings = readDataKeySettings(process.env, settings.dataDir)
  const dataKeys = openKeyFolder({ dir: keySettings.dir, vault: await openDataKeyVault(keySettings) })
  const log = rememberingLog(withCurrentEvents(connectEventLog({ url: urls.eventStore })), {
    dataKeys,
    onFailure: (stream, error) => logFailure(logger, error, 'a snapshot was not written', { stream }),
  })
  const [tally, endpointLog] = [rpcTally(), rpcLog(logger)]
  const nodes = await openChainNodes(settings.chainsFile, {
    called: tally.called,
    changed(...change) {
      tally.changed(...change)
      endpointLog.changed(...change)
    },
  })
  const messages = await connectMessages({ url: urls.nats, name: 'processes' })
  const parties = watchParties(messages, settings.parties)
  const channel = connectPartyChannel(messages, { identity, registry, verify: verifyIdentity })
  const progress = publishProgress(messages)
  const coordinatorId = `coordinator-${randomUUID().slice(0, 8)}`
  const startedAt = new Date().toISOString()
  const record = recordChanges(log, coordinatorId, (error) => logFailure(logger, error, 'a change of a circuit was not recorded', {}))
  const standing = createPartyStanding({
    parties: settings.parties,
    isUp: parties.isUp,
    onChange(change) {
      logger.warn({ ...change }, 'the circuit of a party has changed')
      record(change)
      announcement.say().catch(unsaid)
    },
  })
  let load: Load = { waiting: 0, running: 0 }
  const reach = queueReach({ bound: settings.signingQueue })
  const unsaid = (error: unknown) => logFailure(logger, error, 'how this coordinator sees things was not said', {})
  const announcement = announceCoordinator(messages, {
    identity,
    report: () => ({
      coordinatorId,
      startedAt,
      parties: standing.reports(),
      queue: { depth: load.waiting, capacity: reach.capacity() },
      running: load.running,
      endpoints: tally.reports(),
    }),
    obey: obeyOrders(log, standing.forceClose),
    onFailure: unsaid,
  })
  const stopPings = pingParties(messages, settings.parties, standing)
  const witness = { registry, verify: verifyIdentity }
  const presignatures = keepStock({
    channel,
    standing,
    witness,
    record: recordPresignatures(log),
    onFailure: (error) => logFailure(logger, error, 'presignatures were not made or counted', {}),
  })
  const signing = {
    ...signingProcess({ log, channel, directory: parties, standing, presignatures, witness, progress }),
    waiting: signingQueue(settings.signingQueue),
  }
  const observeLoad = (now: Load) => {
    load = now
    reach.observe(now)
  }
  const stop = new AbortController()
  // It ends all that goes on here; that is no leak.
  setMaxListeners(0, stop.signal)
  const running = [
    keyGenerationProcess({ log, channel, progress }),
    keyAttachmentProcess({ log }),
    keyRevocationProcess({ log, channel }),
    keyRefreshProcess({ log, channel, progress }),
    keyRefreshCompletionProcess({ log, channel }),
    shareRecoveryProcess({ log, channel, standing, progress }),
    policyChangeProcess({ log, channel }),
    presignaturesProcess({ log, presignatures }),
    erasureProcess({ dataKeys }),
    signing,
  ].map((process) =>
    runConsumer(process, {
      log,
      signal: stop.signal,
      onFailure: (failure, error) => logFailure(logger, error, 'a reaction to an event failed', failure),
      onLoad: process === signing ? observeLoad : undefined,
    }),
  )
  const expiring = runExpiry({
    log,
    signal: stop.signal,
    onFailure: (error) => logFailure(logger, error, 'a session could not be expired', {}),
  })
  const transferring = runTransfers({
    log,
    chains: await openChains(settings.chainsFile),
    nodes,
    signal: stop.signal,
    onFailure: (failure, error) => logFailure(logger, error, 'a transfer or deposit could not be gone on with', failure),
    stuckAfterMs: settings.transferStuckSeconds * 1000,
  })
  return {
    async close() {
      stop.abort()
      stopPings()
      await Promise.all([...running, expiring, transferring, announcement.close()])
      for (const node of nodes.values()) await node.close()
      await presignatures.close()
      parties.close()
      await messages.close()
      await log.close()
      await dataKeys.close()
    },
  }
})

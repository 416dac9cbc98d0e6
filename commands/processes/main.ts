import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { openCoordinatorIdentity } from '../../adapters/identity/coordinator-identity.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import { connectMessages } from '../../adapters/nats/messages.ts'
import { connectPartyChannel } from '../../adapters/nats/party-channel.ts'
import { watchParties } from '../../adapters/nats/party-directory.ts'
import { runProcess } from '../../adapters/process/lifecycle.ts'
import { createLogger, logFailure } from '../../adapters/process/logger.ts'
import { readSettings, requireUrls } from '../../adapters/process/settings.ts'
import { readRegistry, requireEnrolledCoordinator } from '../../adapters/registry/registry-file.ts'
import { withCurrentEvents } from '../../domain/current-events.ts'
import { rememberingLog } from '../load.ts'
import { runConsumer } from './consumer.ts'
import { keyAttachmentProcess } from './key-attachment.ts'
import { keyGenerationProcess } from './key-generation.ts'
import { keyRevocationProcess } from './key-revocation.ts'
import { publishProgress } from './progress.ts'
import { signingProcess } from './signing.ts'

/** The coordinator: the process managers that react to events by having the parties work and by issuing commands. */
await runProcess('processes', async () => {
  const settings = readSettings(process.env)
  const urls = requireUrls(settings)
  const logger = createLogger('processes', settings.logLevel)
  const registry = await readRegistry(settings.registryFile)
  const identity = await openCoordinatorIdentity({ id: settings.coordinatorId, dataDir: settings.dataDir })
  requireEnrolledCoordinator(registry, identity.id, identity.publicKey)
  const log = rememberingLog(withCurrentEvents(connectEventLog({ url: urls.eventStore })), {
    onFailure: (stream, error) => logFailure(logger, error, 'a snapshot was not written', { stream }),
  })
  const messages = await connectMessages({ url: urls.nats, name: 'processes' })
  const parties = watchParties(messages, settings.parties)
  const channel = connectPartyChannel(messages, { identity, registry, verify: verifyIdentity })
  const progress = publishProgress(messages)
  const stop = new AbortController()
  const running = [
    keyGenerationProcess({ log, channel, progress }),
    keyAttachmentProcess({ log }),
    keyRevocationProcess({ log, channel }),
    signingProcess({ log, channel, directory: parties, progress }),
  ].map((process) =>
    runConsumer(process, {
      log,
      signal: stop.signal,
      onFailure: (failure, error) => logFailure(logger, error, 'a reaction to an event failed', failure),
    }),
  )
  return {
    async close() {
      stop.abort()
      await Promise.all(running)
      parties.close()
      await messages.close()
      await log.close()
    },
  }
})

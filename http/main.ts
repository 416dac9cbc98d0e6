import { connectEventLog } from '../adapters/eventstore/event-log.ts'
import { connectDocuments } from '../adapters/mongodb/documents.ts'
import { connectMessages } from '../adapters/nats/messages.ts'
import { watchParties } from '../adapters/nats/party-directory.ts'
import { runProcess } from '../adapters/process/lifecycle.ts'
import { createLogger } from '../adapters/process/logger.ts'
import { readSettings, requireUrls, type Settings } from '../adapters/process/settings.ts'
import { commandRoutes } from '../commands/routes.ts'
import type { EventLog } from '../domain/ports/event-log.ts'
import { PROJECTIONS } from '../projections/catalogue.ts'
import { checkpointName } from '../projections/projection.ts'
import { openReadModels } from '../queries/open-read-models.ts'
import type { ReadModelName } from '../queries/read-model.ts'
import { queryRoutes } from '../queries/routes.ts'
import { authenticator, issuerKeys, type TokenRules } from './authentication.ts'
import { DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER, openDevelopmentIssuer } from './development-issuer.ts'
import { createMetrics } from './metrics.ts'
import { serve } from './server.ts'

const VERSION = '0.1.0'

/** The API: commands and queries on one port. */
await runProcess('api', async () => {
  const settings = readSettings(process.env)
  const urls = requireUrls(settings)
  const logger = createLogger('api', settings.logLevel)
  const log = connectEventLog({ url: urls.eventStore })
  const documents = await connectDocuments({ url: urls.mongodb, database: settings.mongodbDatabase })
  const messages = await connectMessages({ url: urls.nats, name: 'api' })
  const parties = watchParties(messages, settings.parties)
  const models = await openReadModels({ documents, messages, checkpoints: checkpointNames() })
  const server = await serve({
    host: settings.host,
    port: settings.port,
    routes: [...commandRoutes({ log: announcing(log, models.expect), parties }), ...queryRoutes(models, parties)],
    authenticate: authenticator(await tokenRules(settings)),
    checks: [
      { name: 'eventstore', check: () => log.ping() },
      { name: 'mongodb', check: () => documents.ping() },
      { name: 'nats', check: () => messages.ping() },
      { name: 'parties', check: () => parties.ready() },
    ],
    metrics: createMetrics(),
    logger,
    version: VERSION,
  })
  return {
    details: { url: server.url, port: Number(new URL(server.url).port) },
    async close() {
      await server.close()
      models.close()
      parties.close()
      await messages.close()
      await documents.close()
      await log.close()
    },
  }
})

/** Appends as they are, with the read side told of each, so that a read right after a command waits for what it caused. */
function announcing(log: EventLog, expect: (position: bigint) => void): EventLog {
  return {
    ...log,
    async append(...args) {
      const appended = await log.append(...args)
      expect(appended.position)
      return appended
    },
  }
}

function checkpointNames(): { [Name in ReadModelName]: string } {
  return Object.fromEntries(PROJECTIONS.map((projection) => [projection.name, checkpointName(projection)])) as {
    [Name in ReadModelName]: string
  }
}

async function tokenRules({ jwks, dataDir }: Settings): Promise<TokenRules> {
  if (jwks) return { keys: await issuerKeys(new URL(jwks.url)), issuer: jwks.issuer, audience: jwks.audience }
  const { keys } = await openDevelopmentIssuer(dataDir)
  return { keys, issuer: DEVELOPMENT_ISSUER, audience: DEVELOPMENT_AUDIENCE }
}

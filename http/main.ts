import { connectEventLog } from '../adapters/eventstore/event-log.ts'
import { connectDocuments } from '../adapters/mongodb/documents.ts'
import { connectMessages } from '../adapters/nats/messages.ts'
import { watchParties } from '../adapters/nats/party-directory.ts'
import { runProcess } from '../adapters/process/lifecycle.ts'
import { createLogger } from '../adapters/process/logger.ts'
import { readSettings, requireUrls, type Settings } from '../adapters/process/settings.ts'
import { VERSION } from '../adapters/process/version.ts'
import { commandRoutes } from '../commands/routes.ts'
import { PROJECTIONS } from '../projections/catalogue.ts'
import { checkpointName, DOMAIN_STREAMS } from '../projections/projection.ts'
import { openReadModels } from '../queries/open-read-models.ts'
import type { ReadModelName } from '../queries/read-model.ts'
import { queryRoutes } from '../queries/routes.ts'
import { authenticator, issuerKeys, type TokenRules } from './authentication.ts'
import { DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER, openDevelopmentIssuer } from './development-issuer.ts'
import { createMetrics } from './metrics.ts'
import type { Route } from './route.ts'
import { serve } from './server.ts'

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
  const head = await log.lastPosition(DOMAIN_STREAMS)
  if (head !== undefined) models.expect(head)
  const server = await serve({
    host: settings.host,
    port: settings.port,
    routes: [...announcing(commandRoutes({ log, parties }), models.expect), ...queryRoutes(models, parties)],
    authenticate: authenticator(await tokenRules(settings)),
    checks: [
      { name: 'eventstore', check: () => log.ping() },
      { name: 'mongodb', check: () => documents.ping() },
      { name: 'nats', check: () => messages.ping() },
      { name: 'read models', check: () => models.ready() },
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

/** The read side is told how far each command got, so that a read right after it waits for what it caused. */
function announcing(routes: readonly Route[], expect: (position: bigint) => void): Route[] {
  return routes.map((route) => ({
    ...route,
    async handle(request) {
      const answer = await route.handle(request)
      if (answer.position !== undefined) expect(answer.position)
      return answer
    },
  }))
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

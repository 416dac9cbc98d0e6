import { openChainNodes } from '../adapters/chains/nodes.ts'
import { openChains } from '../adapters/chains/registry.ts'
import { rpcMetrics } from '../adapters/chains/rpc/metrics.ts'
import { openKeyFolder } from '../adapters/data-keys/key-folder.ts'
import { openRequestKey } from '../adapters/data-keys/request-key.ts'
import { connectEventLog } from '../adapters/eventstore/event-log.ts'
import { webhookRecords } from '../adapters/eventstore/webhook-records.ts'
import { verifyIdentity } from '../adapters/identity/verify.ts'
import { verifyJws } from '../adapters/jws/verify-jws.ts'
import { connectMongo } from '../adapters/mongodb/connect.ts'
import { watchCoordinators } from '../adapters/nats/coordinators.ts'
import { watchDeliverers } from '../adapters/nats/deliverers.ts'
import { connectMessages } from '../adapters/nats/messages.ts'
import { watchParties } from '../adapters/nats/party-directory.ts'
import { watchProjectionWorkers } from '../adapters/nats/projection-workers.ts'
import { openPrices } from '../adapters/prices/static-table.ts'
import { runProcess } from '../adapters/process/lifecycle.ts'
import { createLogger, logFailure } from '../adapters/process/logger.ts'
import { readDataKeySettings, readSettings, requireUrls, type Settings } from '../adapters/process/settings.ts'
import { sha256 } from '../adapters/process/sha256.ts'
import { VERSION } from '../adapters/process/version.ts'
import { readRegistry } from '../adapters/registry/registry-file.ts'
import { openDataKeyVault } from '../adapters/vault/data-key-vault.ts'
import { webhookUrlCheck } from '../adapters/webhooks/check-url.ts'
import { rememberingLog } from '../commands/load.ts'
import { commandRoutes } from '../commands/routes.ts'
import { webhookCommandRoutes } from '../commands/webhooks/routes.ts'
import { AUDITED_STREAMS } from '../domain/audit/canonical-event.ts'
import { withCurrentEvents } from '../domain/current-events.ts'
import { PROJECTIONS } from '../projections/catalogue.ts'
import { DOMAIN_STREAMS } from '../projections/projection.ts'
import { STREAMED_PROJECTIONS, shownOf } from '../projections/streamed.ts'
import { observeCoordination } from '../queries/coordination/metrics.ts'
import { openReadModels } from '../queries/open-read-models.ts'
import { observeParties } from '../queries/party-metrics.ts'
import { observeProjections } from '../queries/projections/metrics.ts'
import { projectionRoutes } from '../queries/projections/routes.ts'
import { observeTree } from '../queries/proofs/metrics.ts'
import { proofRoutes } from '../queries/proofs/routes.ts'
import { queryRoutes } from '../queries/routes.ts'
import { getStream } from '../queries/streams/get-stream.ts'
import { observeStreams } from '../queries/streams/metrics.ts'
import { openStreams } from '../queries/streams/streams.ts'
import { countWebhooks } from '../queries/webhooks/list-webhooks.ts'
import { observeWebhooks } from '../queries/webhooks/metrics.ts'
import { webhookQueryRoutes } from '../queries/webhooks/routes.ts'
import { webhookSigningKeys } from '../queries/webhooks/signing-keys.ts'
import { authenticator, issuerKeys, type TokenRules } from './authentication.ts'
import { DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER, openDevelopmentIssuer } from './development-issuer.ts'
import { createMetrics } from './metrics.ts'
import type { Route } from './route.ts'
import { serve } from './server.ts'

/** Projection workers who hear anything on it look at the builds at once. */
const LOOK_SUBJECT = 'quorate.projections.look'

/** The API: commands and queries on one port. */
await runProcess('api', async () => {
  const settings = readSettings(process.env)
  const urls = requireUrls(settings)
  const logger = createLogger('api', settings.logLevel)
  const chains = await openChains(settings.chainsFile)
  const prices = await openPrices(settings.pricesFile)
  const storedLog = connectEventLog({ url: urls.eventStore })
  const keySettings = readDataKeySettings(process.env, settings.dataDir)
  const keyFolder = { dir: keySettings.dir, vault: await openDataKeyVault(keySettings) }
  const dataKeys = openKeyFolder(keyFolder)
  const log = rememberingLog(withCurrentEvents(storedLog), {
    dataKeys,
    onFailure: (stream, error) => logFailure(logger, error, 'a snapshot was not written', { stream }),
  })
  const mongo = await connectMongo({ url: urls.mongodb, database: settings.mongodbDatabase })
  const messages = await connectMessages({ url: urls.nats, name: 'api' })
  const parties = watchParties(messages, settings.parties)
  const workers = watchProjectionWorkers(messages)
  const coordinators = watchCoordinators(messages, { registry: await readRegistry(settings.registryFile), verify: verifyIdentity })
  const models = await openReadModels({ documents: mongo.documents, store: mongo.projections, messages, workers })
  const head = await log.lastPosition(DOMAIN_STREAMS)
  if (head !== undefined) models.expect(head)
  const operated = { models, workers, catalogue: PROJECTIONS, alertWorkers: () => messages.publish(LOOK_SUBJECT, new Uint8Array()) }
  const audited = { documents: mongo.documents, log: storedLog, sha256 }
  const streams = openStreams({
    log,
    prefixes: AUDITED_STREAMS,
    projections: STREAMED_PROJECTIONS,
    shown: shownOf,
  })
  const deliverers = watchDeliverers(messages)
  const webhooks = {
    log,
    projections: PROJECTIONS.map(({ name }) => name),
    checkUrl: webhookUrlCheck({ allowPrivate: settings.webhooks.allowPrivate ?? false }),
    count: (request: Parameters<typeof countWebhooks>[1]) => countWebhooks(models, request),
  }
  const metrics = createMetrics()
  const nodes = await openChainNodes(settings.chainsFile, rpcMetrics(metrics.registry))
  observeProjections(metrics.registry, operated)
  observeCoordination(metrics.registry, { parties, coordinators })
  observeParties(metrics.registry, parties)
  observeTree(metrics.registry, audited)
  observeStreams(metrics.registry, streams)
  observeWebhooks(metrics.registry, deliverers)
  const server = await serve({
    host: settings.host,
    port: settings.port,
    routes: [
      ...announcing(commandRoutes({ log, parties, coordinators, verify: verifyJws, chains, nodes, prices }), models.expect),
      ...announcing(webhookCommandRoutes(webhooks), models.expect),
      ...queryRoutes({ models, parties, coordinators, chains, log, stored: storedLog, documents: mongo.documents, keys: dataKeys }),
      ...projectionRoutes(operated),
      ...proofRoutes(audited),
      getStream(streams),
      ...webhookQueryRoutes(models, webhookRecords(storedLog)),
    ],
    publicKeys: webhookSigningKeys(storedLog),
    authenticate: authenticator(await tokenRules(settings)),
    requestKey: await openRequestKey(keyFolder),
    checks: [
      { name: 'eventstore', check: () => log.ping() },
      { name: 'mongodb', check: () => mongo.documents.ping() },
      { name: 'nats', check: () => messages.ping() },
      { name: 'read models', check: () => models.ready() },
      { name: 'data keys', check: () => dataKeys.ping() },
      { name: 'parties', check: () => parties.ready() },
    ],
    metrics,
    logger,
    version: VERSION,
  })
  return {
    details: { url: server.url, port: Number(new URL(server.url).port) },
    async close() {
      await server.close()
      streams.close()
      models.close()
      workers.close()
      coordinators.close()
      deliverers.close()
      parties.close()
      await Promise.all([...nodes.values()].map((node) => node.close()))
      await messages.close()
      await mongo.close()
      await log.close()
      await dataKeys.close()
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

async function tokenRules({ jwks, dataDir }: Settings): Promise<TokenRules> {
  if (jwks) return { keys: await issuerKeys(new URL(jwks.url)), issuer: jwks.issuer, audience: jwks.audience }
  const { keys } = await openDevelopmentIssuer(dataDir)
  return { keys, issuer: DEVELOPMENT_ISSUER, audience: DEVELOPMENT_AUDIENCE }
}

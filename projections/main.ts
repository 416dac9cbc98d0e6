import { connectEventLog } from '../adapters/eventstore/event-log.ts'
import { connectMongo } from '../adapters/mongodb/connect.ts'
import { connectMessages } from '../adapters/nats/messages.ts'
import { watchProjectionWorkers } from '../adapters/nats/projection-workers.ts'
import { runProcess } from '../adapters/process/lifecycle.ts'
import { createLogger, logFailure } from '../adapters/process/logger.ts'
import { readSettings, requireUrls } from '../adapters/process/settings.ts'
import { withCurrentEvents } from '../domain/current-events.ts'
import { PROJECTIONS } from './catalogue.ts'
import { changeFeed } from './change-feed.ts'
import { presence } from './presence.ts'
import { startWorker } from './worker.ts'

/** The projection worker: keeps its share of every read model on the log. */
await runProcess('projections', async () => {
  const settings = readSettings(process.env)
  const urls = requireUrls(settings)
  const logger = createLogger('projections', settings.logLevel)
  const log = connectEventLog({ url: urls.eventStore })
  const { documents, projections: store, close: closeMongo } = await connectMongo({ url: urls.mongodb, database: settings.mongodbDatabase })
  const messages = await connectMessages({ url: urls.nats, name: 'projections' })
  const workers = watchProjectionWorkers(messages)
  const worker = startWorker({
    projections: PROJECTIONS,
    log: withCurrentEvents(log),
    documents,
    store,
    feed: changeFeed(messages),
    presence: presence(messages, workers.listen),
    graceMs: settings.projectionGraceSeconds * 1000,
    onFailure: (error, projection) =>
      logFailure(logger, error, projection ? 'an event cannot be applied' : 'the worker begins again from its checkpoints', { projection }),
  })
  return {
    async close() {
      await worker.close()
      workers.close()
      await messages.close()
      await closeMongo()
      await log.close()
    },
  }
})

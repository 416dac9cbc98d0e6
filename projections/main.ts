import { connectEventLog } from '../adapters/eventstore/event-log.ts'
import { connectDocuments } from '../adapters/mongodb/documents.ts'
import { connectMessages } from '../adapters/nats/messages.ts'
import { runProcess } from '../adapters/process/lifecycle.ts'
import { createLogger, logFailure } from '../adapters/process/logger.ts'
import { readSettings, requireUrls } from '../adapters/process/settings.ts'
import { PROJECTIONS } from './catalogue.ts'
import { changeFeed } from './change-feed.ts'
import { runProjection } from './runner.ts'

/** The projection worker: keeps every read model on the log. */
await runProcess('projections', async () => {
  const settings = readSettings(process.env)
  const urls = requireUrls(settings)
  const logger = createLogger('projections', settings.logLevel)
  const log = connectEventLog({ url: urls.eventStore })
  const documents = await connectDocuments({ url: urls.mongodb, database: settings.mongodbDatabase })
  const messages = await connectMessages({ url: urls.nats, name: 'projections' })
  const stop = new AbortController()
  const running = PROJECTIONS.map((projection) =>
    runProjection(projection, {
      log,
      documents,
      feed: changeFeed(messages),
      signal: stop.signal,
      onFailure: (projection, error) => logFailure(logger, error, 'the projection starts again from its checkpoint', { projection }),
    }),
  )
  return {
    async close() {
      stop.abort()
      await Promise.all(running.map(({ done }) => done))
      await messages.close()
      await documents.close()
      await log.close()
    },
  }
})

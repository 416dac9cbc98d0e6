import { connectEventLog } from '../adapters/eventstore/event-log.ts'
import { openLogIdentity } from '../adapters/identity/log-identity.ts'
import { verifyIdentity } from '../adapters/identity/verify.ts'
import { connectMongo } from '../adapters/mongodb/connect.ts'
import { runProcess } from '../adapters/process/lifecycle.ts'
import { createLogger, logFailure } from '../adapters/process/logger.ts'
import { readSettings, requireUrls } from '../adapters/process/settings.ts'
import { sha256 } from '../adapters/process/sha256.ts'
import { PLATFORM_TENANT } from '../http/route.ts'
import { keepTree } from './keeper.ts'

/** The auditor's side of the log: keeps the Merkle tree of its events, and signs checkpoints of it. */
await runProcess('audit', async () => {
  const settings = readSettings(process.env)
  const urls = requireUrls(settings)
  const logger = createLogger('audit', settings.logLevel)
  const logIdentity = await openLogIdentity({ dataDir: settings.dataDir, origin: settings.logOrigin })
  const log = connectEventLog({ url: urls.eventStore })
  const mongo = await connectMongo({ url: urls.mongodb, database: settings.mongodbDatabase })
  const stop = new AbortController()
  const kept = keepTree({
    ...logIdentity,
    log,
    documents: mongo.documents,
    verify: verifyIdentity,
    sha256,
    tenant: PLATFORM_TENANT,
    everyEvents: settings.checkpointEvents,
    everyMs: settings.checkpointSeconds * 1000,
    signal: stop.signal,
    onFailure: (error) => logFailure(logger, error, 'the tree of the log begins again from what is stored'),
  })
  return {
    async close() {
      stop.abort()
      await kept
      await mongo.close()
      await log.close()
    },
  }
})

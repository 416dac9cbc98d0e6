import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { connectEventLog } from '../adapters/eventstore/event-log.ts'
import { webhookRecords } from '../adapters/eventstore/webhook-records.ts'
import { openWebhookKeys, publicSigningKey } from '../adapters/identity/webhook-keys.ts'
import { connectMessages } from '../adapters/nats/messages.ts'
import { runProcess } from '../adapters/process/lifecycle.ts'
import { createLogger, logFailure } from '../adapters/process/logger.ts'
import { readSettings, requireUrls } from '../adapters/process/settings.ts'
import { webhookSender } from '../adapters/webhooks/sender.ts'
import { rememberingLog } from '../commands/load.ts'
import { AUDITED_STREAMS } from '../domain/audit/canonical-event.ts'
import { withCurrentEvents } from '../domain/current-events.ts'
import { PLATFORM_TENANT } from '../http/route.ts'
import { STREAMED_PROJECTIONS, shownOf } from '../projections/streamed.ts'
import { openStreams } from '../queries/streams/streams.ts'
import { announceKeys } from './announced-keys.ts'
import { startDeliverer } from './deliverer.ts'
import { reportDeliveries } from './report.ts'
import { retriesOf } from './retries.ts'
import { messageSigner } from './signed-message.ts'

const CLAIM_MS = 5_000
const DAY_MS = 24 * 3_600_000

/** The deliverer of webhooks: follows the log and sends each webhook what it is to have. */
await runProcess('webhooks', async () => {
  const settings = readSettings(process.env)
  const urls = requireUrls(settings)
  const logger = createLogger('webhooks', settings.logLevel)
  const { allowPrivate = false, timeoutSeconds, retrySeconds, disableDays } = settings.webhooks
  const keys = await openWebhookKeys(settings.dataDir)
  const storedLog = connectEventLog({ url: urls.eventStore })
  const log = rememberingLog(withCurrentEvents(storedLog), {
    onFailure: (stream, error) => logFailure(logger, error, 'a snapshot was not written', { stream }),
  })
  await announceKeys(storedLog, keys.map(publicSigningKey).reverse(), PLATFORM_TENANT)
  const messages = await connectMessages({ url: urls.nats, name: 'webhooks' })
  const streams = openStreams({ log, prefixes: AUDITED_STREAMS, projections: STREAMED_PROJECTIONS, shown: shownOf })
  const sender = webhookSender({ allowPrivate, timeoutMs: timeoutSeconds * 1000 })
  const stop = new AbortController()
  // Every webhook listens.
  setMaxListeners(0, stop.signal)
  const owner = randomUUID()
  const report = reportDeliveries(messages, owner, () => deliverer.load())
  const deliverer = startDeliverer({
    owner,
    log,
    storedLog,
    streams,
    sender,
    records: webhookRecords(storedLog),
    sign: messageSigner(keys),
    retries: retriesOf(retrySeconds, disableDays * DAY_MS),
    claimMs: CLAIM_MS,
    onAttempt: report.count,
    onFailure: (error, webhookId) => logFailure(logger, error, 'deliveries begin again from what is stored', { webhookId }),
    signal: stop.signal,
  })
  return {
    async close() {
      stop.abort()
      await deliverer.ended
      report.close()
      sender.close()
      streams.close()
      await messages.close()
      await log.close()
    },
  }
})

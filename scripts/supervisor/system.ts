import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { lockFolder } from '../../adapters/process/folder-lock.ts'
import type { Settings } from '../../adapters/process/settings.ts'
import { withoutCredentials } from '../../adapters/process/without-credentials.ts'
import { type Child, type ChildEvents, type ChildPlan, startChild } from './child.ts'
import { type DevelopmentClient, removeDevelopmentClient, writeDevelopmentClient } from './development-client.ts'
import { type Endpoints, removeEndpoints, writeEndpoints } from './endpoints.ts'
import { enrolOnce } from './enrolment.ts'

export type System = {
  baseUrl: string
  endpoints: Endpoints
  /** Which server answers for what, for people. */
  description: readonly string[]
  /** Only when the event store is the embedded one. */
  client: DevelopmentClient | undefined
  stop(): Promise<void>
}

const RESTART_MS = 100
/** Long enough for the others to notice the loss of a party, name it and go on without it. */
const PARTY_RESTART_MS = 5_000
/** The read models are built from the log before the API is ready, however long the log is. */
const READY_WITHIN_MS = 15 * 60_000
const ASK_EVERY_MS = 50

const entry = (path: string) => new URL(`../../${path}`, import.meta.url)

/**
 * Starts all of Quorate on this machine, each process a child: the servers that are not configured, the parties, the workers, and the API.
 * Ends them all again when one of them cannot be started.
 */
export async function startSystem(settings: Settings, events: ChildEvents): Promise<System> {
  const children: Child[] = []
  const start = async (plan: ChildPlan) => {
    const child = await startChild(plan, events)
    children.push(child)
    return child
  }
  await mkdir(settings.dataDir, { recursive: true, mode: 0o700 })
  const lock = lockFolder(settings.dataDir)
  const stop = async () => {
    await removeDevelopmentClient(settings.dataDir)
    await removeEndpoints(settings.dataDir)
    for (const child of children) child.expectEnd()
    // Who takes requests stops first, the store last.
    for (const child of children.splice(0).reverse()) await child.stop()
    lock.release()
  }
  try {
    await removeDevelopmentClient(settings.dataDir)
    const [servers] = await Promise.all([startServers(settings, start), enrolOnce(settings)])
    const env = {
      QUORATE_EVENTSTORE_URL: servers.eventStore.url,
      QUORATE_MONGODB_URL: servers.mongodb.url,
      QUORATE_NATS_URL: servers.nats.url,
      QUORATE_LOG_LEVEL: process.env.QUORATE_LOG_LEVEL || 'warn',
      QUORATE_DATA_DIR: settings.dataDir,
      QUORATE_REGISTRY: settings.registryFile,
      QUORATE_CHAINS: settings.chainsFile,
      QUORATE_PRICES: settings.pricesFile,
      // A developer's receiver is on this machine.
      QUORATE_WEBHOOKS_ALLOW_PRIVATE: String(settings.webhooks.allowPrivate ?? settings.eventStoreUrl === undefined),
    }
    const parties = await Promise.all(
      settings.parties.map((id) =>
        start({ name: id, entry: entry('parties/main.js'), env: { ...env, QUORATE_PARTY_ID: id }, restartAfterMs: PARTY_RESTART_MS }),
      ),
    )
    await Promise.all([
      start({ name: 'projections', entry: entry('projections/main.js'), env, restartAfterMs: RESTART_MS }),
      start({ name: 'processes', entry: entry('commands/processes/main.js'), env, restartAfterMs: RESTART_MS }),
      start({ name: 'audit', entry: entry('audit/main.js'), env, restartAfterMs: RESTART_MS }),
      start({ name: 'webhooks', entry: entry('webhooks/main.js'), env, restartAfterMs: RESTART_MS }),
    ])
    const api = await start({
      name: 'api',
      entry: entry('http/main.js'),
      env: { ...env, QUORATE_PORT: String(settings.port) },
      restartAfterMs: RESTART_MS,
      pin: ({ port }) => ({ QUORATE_PORT: String(port) }),
    })
    const baseUrl = String(api.ready.url)
    await untilReady(baseUrl)
    const endpoints = { api: baseUrl, eventStore: servers.eventStore.url, mongodb: servers.mongodb.url, nats: servers.nats.url }
    await writeEndpoints(settings.dataDir, endpoints)
    const client = settings.eventStoreUrl === undefined ? await writeDevelopmentClient(settings.dataDir, baseUrl) : undefined
    return {
      baseUrl,
      endpoints,
      client,
      stop,
      description: [
        `events       ${servers.eventStore.description}`,
        `read models  ${servers.mongodb.description}`,
        `messages     ${servers.nats.description}`,
        `shares       ${describeVaults(parties)}`,
      ],
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** @throws when the API does not become ready */
async function untilReady(baseUrl: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  for (;;) {
    const answer = await fetch(`${baseUrl}/readyz`, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined)
    if (answer?.ok) return
    if (Date.now() > deadline) throw new Error(`the API was not ready within ${READY_WITHIN_MS / 60_000} minutes: ${await answer?.text()}`)
    await delay(ASK_EVERY_MS)
  }
}

type Server = { url: string; description: string }

async function startServers(
  settings: Settings,
  start: (plan: ChildPlan) => Promise<Child>,
): Promise<{ eventStore: Server; mongodb: Server; nats: Server }> {
  const embedded = async (name: string, script: string, args: readonly string[]): Promise<Server> => {
    const child = await start({
      name,
      entry: entry(`scripts/${script}.js`),
      args,
      restartAfterMs: RESTART_MS,
      env: { QUORATE_EMBEDDED_PORT: '0' },
      pin: ({ port }) => ({ QUORATE_EMBEDDED_PORT: String(port) }),
    })
    return { url: String(child.ready.url), description: `${child.ready.server ?? `embedded ${name}`} on ${child.ready.url}` }
  }
  const configured = (url: string): Server => ({ url, description: `configured, ${withoutCredentials(url)}` })
  const [eventStore, mongodb, nats] = await Promise.all([
    settings.eventStoreUrl !== undefined
      ? configured(settings.eventStoreUrl)
      : embedded('event store', 'embedded', ['eventstore', '--data', join(settings.dataDir, 'eventstore')]),
    settings.mongodbUrl !== undefined ? configured(settings.mongodbUrl) : embedded('mongodb', 'embedded', ['mongodb']),
    settings.natsUrl !== undefined ? configured(settings.natsUrl) : embedded('nats', 'message-broker', []),
  ])
  return { eventStore, mongodb, nats }
}

function describeVaults(parties: readonly Child[]): string {
  const vaults = new Set(parties.map(({ ready }) => String(ready.vault).replace(/party-\d+/, 'party-*')))
  return `${[...vaults].join('; ')}, ${parties.length} parties`
}

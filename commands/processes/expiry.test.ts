import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import type { EventLog } from '../../domain/ports/event-log.ts'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import {
  type ExistingSession,
  requireSession,
  type SigningSessionCommand,
  signingSession,
} from '../../domain/signing-session/signing-session.ts'
import { execute } from '../execute.ts'
import { load } from '../load.ts'
import { runExpiry } from './expiry.ts'

// One after another: the client rejects every append of the process that is under way when one of its connections ends.

async function startLog(t: ExecutionContext): Promise<EventLog> {
  const server = await startEmbeddedEventStore({ port: 0 })
  const log = connectEventLog({ url: server.url })
  t.teardown(async () => {
    await log.close()
    await server.close()
  })
  return log
}

function watch(t: ExecutionContext, log: EventLog, options: { maxWatched?: number } = {}) {
  const stop = new AbortController()
  const failures: unknown[] = []
  const done = runExpiry({ log, signal: stop.signal, onFailure: (error) => failures.push(error), markEveryMs: 50, ...options })
  const close = async () => {
    stop.abort()
    await done
  }
  t.teardown(close)
  return { failures, close }
}

const command = (log: EventLog, sessionId: string, what: SigningSessionCommand) => {
  const id = randomUUID()
  const context = { commandId: id, correlationId: id, causationId: id, actor: 'test', tenant: 'test' }
  return execute(log, { decider: signingSession, stream: signingSessionStream(sessionId) }, () => what, context)
}

/** A session that waits for an approval which never comes. */
async function request(log: EventLog, inMs: number): Promise<string> {
  const sessionId = randomUUID()
  await command(log, sessionId, {
    type: 'RequestSignature',
    sessionId,
    keyId: randomUUID(),
    walletId: randomUUID(),
    tenant: 'test',
    scheme: 'frost-ed25519',
    payload: { kind: 'message', encoding: 'hex', data: '00' },
    message: '00',
    deadline: new Date(Date.now() + inMs).toISOString(),
    approvals: { required: 1, approvers: ['alice'] },
    authorisation: { method: 'POST', path: '/', body: '{}', intent: null },
  })
  return sessionId
}

const sessionOf = async (log: EventLog, sessionId: string): Promise<ExistingSession> =>
  requireSession((await load(log, { decider: signingSession, stream: signingSessionStream(sessionId) })).state)

async function expired(log: EventLog, sessionId: string): Promise<ExistingSession> {
  for (;;) {
    const session = await sessionOf(log, sessionId)
    if (session.status !== 'pending_approval') return session
    await delay(10)
  }
}

const typesOf = async (log: EventLog, sessionId: string) => {
  const types: string[] = []
  for await (const { type } of log.readStream(signingSessionStream(sessionId))) types.push(type)
  return types
}

test.serial('a session that nobody approves expires at its deadline, not before, and others are let be', async (t) => {
  const log = await startLog(t)
  const { failures } = watch(t, log)
  const later = await request(log, 60_000)
  const sessionId = await request(log, 700)
  const { status, deadline } = await expired(log, sessionId)
  t.is(status, 'expired')
  t.true(Date.now() >= Date.parse(deadline))
  t.true(Date.now() < Date.parse(deadline) + 10_000)
  t.is((await sessionOf(log, later)).status, 'pending_approval')
  t.deepEqual(failures, [])
})

test.serial('several coordinators expire a session once', async (t) => {
  const log = await startLog(t)
  const watches = [watch(t, log), watch(t, log), watch(t, log)]
  const sessions = await Promise.all(Array.from({ length: 10 }, () => request(log, 300)))
  for (const sessionId of sessions) await expired(log, sessionId)
  const after = await request(log, 300)
  await expired(log, after)
  for (const sessionId of sessions) t.deepEqual(await typesOf(log, sessionId), ['SigningRequested', 'SigningExpired'])
  t.deepEqual(
    watches.flatMap(({ failures }) => failures),
    [],
  )
})

test.serial('what came due while nobody watched expires at the next start, which reads on from the oldest open session', async (t) => {
  const log = await startLog(t)
  const first = watch(t, log)
  let ended = 0n
  for (let i = 0; i < 5; i++) ended = (await command(log, await request(log, 60_000), { type: 'CancelSession', by: 'test' })).position!
  const open = await request(log, 60_000)
  const marked = async () => BigInt(((await log.readSnapshot('signing-session-expiry')) as { position: string } | undefined)?.position ?? 0)
  while ((await marked()) < ended) await delay(10)
  await first.close()
  const due = await request(log, 100)
  const deadline = Date.parse((await sessionOf(log, due)).deadline)
  while (Date.now() < deadline) await delay(10)
  t.is((await sessionOf(log, due)).status, 'pending_approval')

  const read: string[] = []
  watch(t, {
    ...log,
    async *subscribe(options) {
      for await (const batch of log.subscribe(options)) {
        for (const message of batch) if (message.kind === 'event') read.push(message.event.stream)
        yield batch
      }
    },
  })
  t.is((await expired(log, due)).status, 'expired')
  t.deepEqual(read.slice(0, 2), [signingSessionStream(open), signingSessionStream(due)])
})

test.serial('with more open sessions than are watched at once all expire all the same', async (t) => {
  const log = await startLog(t)
  const sessions: string[] = []
  for (let i = 0; i < 20; i++) sessions.push(await request(log, 100))
  // One event a batch, so that the bound is met after each.
  watch(t, { ...log, subscribe: (options) => log.subscribe({ ...options, maxBatch: 1 }) }, { maxWatched: 3 })
  for (const sessionId of sessions) t.is((await expired(log, sessionId)).status, 'expired')
})

import { createHash } from 'node:crypto'
import { isAudited } from '../../domain/audit/canonical-event.ts'
import { walletAt } from '../../domain/history/wallet-at.ts'
import { openOrSayWhyNot } from '../../domain/personal-data/personal-fields.ts'
import type { EventLog, RecordedEvent } from '../../domain/ports/event-log.ts'
import { walletStream } from '../../domain/wallet/events.ts'
import { Problem } from '../../http/problem.ts'
import { type RouteRequest, route } from '../../http/route.ts'
import type { OpenPersonal } from '../personal-data.ts'
import { type ReadModels, readDocument, readList } from '../read-model.ts'
import { WALLET_AUDIT } from './shapes.ts'
import { AS_OF, momentIn } from './wallet-as-of.ts'

/** Steps looked through for streams; a wallet with more is for `npm run replay`. */
const MAX_STEPS = 5_000
const STEPS = 500
/** Streams read at once. */
const AT_ONCE = 32

export const auditWallet = (models: ReadModels, log: Pick<EventLog, 'readStream'>, keys: OpenPersonal) =>
  route({
    method: 'GET',
    path: '/v1/wallets/:walletId/audit',
    tag: 'audit',
    summary: 'A wallet, its keys, sessions and accounts, made of their events alone',
    description:
      'With the number of events and a digest over them, which `npm run replay` comes to as well, from the log or the archive. Which streams are read is looked up in the read model, what is in them is not.',
    roles: ['client', 'auditor'],
    query: AS_OF,
    answers: { 200: { description: 'The wallet then', schema: WALLET_AUDIT } },
    async handle(request) {
      const moment = momentIn(request.query, 'asOf')
      await readDocument(models, request, { model: 'wallets', id: request.params.walletId, parameter: 'walletId' })
      const streams = await streamsOf(models, request)
      const events: RecordedEvent[] = []
      for (let at = 0; at < streams.length; at += AT_ONCE)
        events.push(...(await Promise.all(streams.slice(at, at + AT_ONCE).map((stream) => eventsOf(log, stream)))).flat())
      events.sort((one, other) => (one.position < other.position ? -1 : 1))
      const found = await walletAt(events, request.params.walletId, moment, createHash('sha256'))
      const { walletId, name } = found.wallet
      const opened = await openOrSayWhyNot(keys, walletId, 'name', name)
      const named = 'shown' in opened ? { name: opened.shown } : { name: null, ...opened }
      return { status: 200, body: { ...found, wallet: { ...found.wallet, ...named } } }
    },
  })

async function streamsOf(models: ReadModels, request: RouteRequest<'/v1/wallets/:walletId'>): Promise<readonly string[]> {
  const { walletId } = request.params
  const streams = new Set([walletStream(walletId)])
  let beyond: string | undefined
  for (let read = 0; read < MAX_STEPS; read += STEPS) {
    const { found } = await readList(models, request, 'wallet_history', {
      where: { walletId },
      by: '_id',
      direction: 'asc',
      beyond,
      limit: STEPS,
    })
    for (const { stream } of found) streams.add(String(stream))
    if (found.length < STEPS) return [...streams]
    beyond = String(found.at(-1)?._id)
  }
  throw new Problem('history_too_long', `the wallet has more than ${MAX_STEPS} steps: use npm run replay`)
}

async function eventsOf(log: Pick<EventLog, 'readStream'>, stream: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of log.readStream(stream)) if (isAudited(event)) events.push(event)
  return events
}

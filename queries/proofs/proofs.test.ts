import test, { type ExecutionContext } from 'ava'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import { METADATA, newEvents, newSigner, openTestDocuments, openTestLog, startKeeper, until } from '../../audit/testing/audited-log.ts'
import { sha256 } from '../../audit/testing/sha256.ts'
import { bytesToBase64 } from '../../domain/audit/base64.ts'
import { leafHash } from '../../domain/audit/merkle-tree.ts'
import {
  type ConsistencyProof,
  type InclusionProof,
  readProof,
  verifyConsistencyProof,
  verifyInclusionProof,
} from '../../domain/audit/proof.ts'
import { readVkey, vkeyOf } from '../../domain/audit/signed-note.ts'
import { leafWrite, readLeaf, tileWrite } from '../../domain/audit/tree-documents.ts'
import type { EventLog } from '../../domain/ports/event-log.ts'
import { createMetrics } from '../../http/metrics.ts'
import { runApp } from '../../http/testing/running-app.ts'
import { observeTree } from './metrics.ts'
import { proofRoutes } from './routes.ts'

/** A log of 20 events of `acme`, signed at 7 and at 20, and the routes over it. */
async function auditedApp(t: ExecutionContext, change: (log: EventLog) => Partial<EventLog> = () => ({})) {
  const signer = newSigner()
  const { log, append, checkpoints } = await openTestLog(t, signer.key)
  const documents = await openTestDocuments(t)
  const keeper = startKeeper(t, { ...signer, log, documents })
  const signed = (size: number) => until(async () => (await checkpoints()).at(-1)?.size === size)
  const events = await append(7)
  await signed(7)
  events.push(...(await append(13)))
  await signed(20)
  const audited = { documents, log: { ...log, ...change(log) }, sha256 }
  const metrics = createMetrics()
  observeTree(metrics.registry, audited)
  const app = await runApp(t, proofRoutes(audited), { metrics })
  // The newest checkpoint is stored a moment after it is signed.
  await until(async () => (await app.call('GET', '/v1/checkpoints/latest')).json.size === 20)
  return { app, log, append, signed, keeper, documents, events, signer, metrics }
}

test('of every event there is a proof that holds, in every checkpoint that covers it', async (t) => {
  const { app, events, signer } = await auditedApp(t)
  for (const [index, { id, data }] of events.entries()) {
    const { status, text } = await app.call('GET', `/v1/proofs/inclusion?event=${id}`)
    t.is(status, 200)
    const proof = readProof(text) as InclusionProof
    t.is(verifyInclusionProof(proof, signer.key, verifyIdentity).size, 20)
    t.is(proof.index, index)
    t.like(JSON.parse(proof.leaf), { id, data })
  }
  const early = readProof((await app.call('GET', `/v1/proofs/inclusion?event=${events[3]!.id}&size=7`)).text) as InclusionProof
  t.is(verifyInclusionProof(early, signer.key, verifyIdentity).size, 7)
  t.like((await app.call('GET', `/v1/proofs/inclusion?event=${events[7]!.id}&size=7`)).json, { status: 404, code: 'checkpoint_not_found' })
  t.like((await app.call('GET', `/v1/proofs/inclusion?event=${events[7]!.id}&size=8`)).json, { status: 404, code: 'checkpoint_not_found' })
})

test('an event is also named by its place in its stream', async (t) => {
  const { app, log, events } = await auditedApp(t)
  const [first] = await log
    .readAll({ limit: 1 })
    [Symbol.asyncIterator]()
    .next()
    .then(({ value }) => [value])
  const named = await app.call('GET', `/v1/proofs/inclusion?event=${first.stream}@6`)
  t.deepEqual(named.json, (await app.call('GET', `/v1/proofs/inclusion?event=${events[6]!.id}`)).json)
  t.like((await app.call('GET', `/v1/proofs/inclusion?event=${first.stream}@7`)).json, { status: 404, code: 'event_not_found' })
})

test('the log has grown from each checkpoint to each later one', async (t) => {
  const { app, signer } = await auditedApp(t)
  const { items } = (await app.call('GET', '/v1/checkpoints')).json
  for (const from of items)
    for (const to of items) {
      const { status, text, json } = await app.call('GET', `/v1/proofs/consistency?from=${from.size}&to=${to.size}`)
      if (from.size > to.size) t.like(json, { status: 400, code: 'invalid_parameter' })
      else {
        t.is(status, 200)
        const proved = verifyConsistencyProof(readProof(text) as ConsistencyProof, signer.key, verifyIdentity)
        t.deepEqual([proved.from.size, proved.to.size], [from.size, to.size])
      }
    }
  t.like((await app.call('GET', '/v1/proofs/consistency?from=7')).json, { kind: 'consistency', to: items[0].note })
  t.like((await app.call('GET', '/v1/proofs/consistency?from=8')).json, { status: 404, code: 'checkpoint_not_found' })
  t.like((await app.call('GET', '/v1/proofs/consistency')).json, { status: 400, code: 'invalid_parameter' })
})

test('checkpoints are listed, the newest first, each after the one before it', async (t) => {
  const { app, signer } = await auditedApp(t)
  const { items } = (await app.call('GET', '/v1/checkpoints')).json
  t.deepEqual(
    items.map(({ number }: { number: number }) => number),
    items.map((_: unknown, index: number) => items.length - 1 - index),
  )
  t.like(items[0], { size: 20, origin: signer.key.name })
  t.is(items.at(-1).previous, null)
  const pages: unknown[] = []
  for (let cursor = ''; ; ) {
    const page = (await app.call('GET', `/v1/checkpoints?limit=1${cursor}`)).json
    pages.push(...page.items)
    if (page.nextCursor === null) break
    cursor = `&cursor=${page.nextCursor}`
  }
  t.deepEqual(pages, items)
  t.like((await app.call('GET', '/v1/checkpoints?cursor=abc')).json, { status: 400, code: 'invalid_cursor' })
  t.deepEqual((await app.call('GET', '/v1/checkpoints/latest')).json, items[0])
  const { vkey, jwk } = (await app.call('GET', '/v1/checkpoints/key')).json
  t.is(vkey, vkeyOf(signer.key))
  t.is(Buffer.from(jwk.x, 'base64url').toString('base64'), bytesToBase64(readVkey(vkey).publicKey))
})

test('an event of another tenant does not exist, but for the platform; and only auditors ask', async (t) => {
  const { app, events } = await auditedApp(t)
  const path = `/v1/proofs/inclusion?event=${events[0]!.id}`
  const as = async (claims: Parameters<typeof app.token>[0]) =>
    app.call('GET', path, { authorization: `Bearer ${await app.token(claims)}` })
  const unknown = await app.call('GET', `/v1/proofs/inclusion?event=${crypto.randomUUID()}`)
  t.like(unknown.json, { status: 404, code: 'event_not_found' })
  const { correlationId: _, ...hidden } = (await as({ tenant: 'other' })).json
  const { correlationId: __, ...missing } = unknown.json
  t.deepEqual(hidden, missing)
  t.is((await as({ tenant: '*' })).status, 200)
  t.like((await as({ roles: ['client', 'approver', 'operator', 'data'] })).json, { status: 403 })
})

test('an event that no checkpoint covers yet is to be asked for again, and waited for', async (t) => {
  const signer = newSigner()
  const { log, append } = await openTestLog(t, signer.key)
  const documents = await openTestDocuments(t)
  const app = await runApp(t, proofRoutes({ documents, log, sha256 }))
  t.like((await app.call('GET', `/v1/proofs/inclusion?event=${crypto.randomUUID()}`)).json, { status: 503, code: 'read_model_behind' })
  t.like((await app.call('GET', '/v1/checkpoints/latest')).json, { status: 404, code: 'checkpoint_not_found' })
  await append(1)
  startKeeper(t, { ...signer, log, documents, everyEvents: 10, everyMs: 3_600_000 })
  await until(async () => (await app.call('GET', '/v1/checkpoints/latest')).status === 200)
  const [late] = newEvents(1)
  const { position } = await log.append('wallet-late', 'no_stream', [late!])
  t.like((await app.call('GET', `/v1/proofs/inclusion?event=${late!.id}&minPosition=${position}`)).json, {
    status: 503,
    code: 'not_signed_yet',
    retryable: true,
  })
})

test('an event that was changed in the log, or dropped from it, is found', async (t) => {
  let changed: 'type' | 'data' | 'metadata' | 'dropped' | undefined
  const { app, events } = await auditedApp(t, (log) => ({
    async *readStream(stream, options) {
      for await (const event of log.readStream(stream, options)) {
        if (changed === 'type') yield { ...event, type: 'Other' }
        else if (changed === 'data') yield { ...event, data: { n: -1 } }
        else if (changed === 'metadata') yield { ...event, metadata: { ...METADATA, actor: 'somebody else' } }
        else if (changed === undefined) yield event
      }
    },
  }))
  const ask = async () => (await app.call('GET', `/v1/proofs/inclusion?event=${events[5]!.id}`)).json
  t.is((await ask()).kind, 'inclusion')
  for (changed of ['type', 'data', 'metadata'] as const) t.like(await ask(), { status: 500, code: 'log_contradicts_tree' })
  changed = 'dropped'
  t.like(await ask(), { status: 410, code: 'event_not_stored' })
})

test('of a tree that was changed no proof is handed out', async (t) => {
  const { app, documents, events } = await auditedApp(t)
  const leaf = (await readLeaf(documents, events[5]!.id))!
  await documents.apply([{ position: 1_000n, writes: [leafWrite({ ...leaf, index: 6 })] }])
  t.like((await app.call('GET', `/v1/proofs/inclusion?event=${events[5]!.id}`)).json, { status: 500, code: 'log_contradicts_tree' })
  const forged = leafHash(new Uint8Array())
  const hashes = new Uint8Array(20 * 32).map((_, at) => forged[at % 32]!)
  await documents.apply([{ position: 1_000n, writes: [tileWrite({ level: 0, index: 0, hashes })] }])
  t.like((await app.call('GET', `/v1/proofs/inclusion?event=${events[0]!.id}`)).json, { status: 500, code: 'log_contradicts_tree' })
  t.like((await app.call('GET', '/v1/proofs/consistency?from=7')).json, { status: 500, code: 'log_contradicts_tree' })
  await documents.apply([{ position: 1_001n, writes: [tileWrite({ level: 0, index: 0, hashes: hashes.subarray(0, 96) })] }])
  t.like((await app.call('GET', '/v1/proofs/consistency?from=7')).json, { status: 503, code: 'read_model_behind' })
})

test('how far the tree and its checkpoints are can be measured', async (t) => {
  const { metrics } = await auditedApp(t)
  const lines = (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('quorate_audit'))
  t.deepEqual(lines.slice(0, 2), ['quorate_audit_tree_size 20', 'quorate_audit_checkpoint_size 20'])
  t.true(Math.abs(Number(lines[2]!.split(' ')[1]) - Date.now() / 1000) < 60)
})

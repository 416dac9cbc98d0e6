import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import test, { type ExecutionContext } from 'ava'
import { folderStore } from '../../adapters/archive/folder-store.ts'
import { parquetFormat } from '../../adapters/archive/parquet-format.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import { type Manifest, manifestName, signManifest } from '../../domain/archive/manifest.ts'
import type { Held } from '../../domain/audit/canonical-event.ts'
import { isSame } from '../../domain/audit/merkle-tree.ts'
import { type SegmentRow, SegmentUnreadable } from '../../domain/ports/archive.ts'
import type { NewEvent } from '../../domain/ports/event-log.ts'
import { allOf, newEvents, newSigner, openTestDocuments, openTestLog, rootOfLog, startKeeper, until } from '../testing/audited-log.ts'
import { sha256 } from '../testing/sha256.ts'
import type { Finding } from './findings.ts'
import { lookUp } from './looking-up.ts'
import { readSegments } from './reading.ts'
import { restoreArchive } from './restoring.ts'
import { verifyArchive } from './verifying.ts'
import { ArchiveOvertaken, archiveLog } from './writing.ts'

async function setUp(t: ExecutionContext, { segmentEvents = 100 } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-archive-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const signer = newSigner()
  const testLog = await openTestLog(t, signer.key)
  const options = {
    ...signer,
    store: folderStore(folder),
    format: await parquetFormat(),
    verify: verifyIdentity,
    sha256,
    segmentEvents,
    signal: new AbortController().signal,
    onSegment() {},
  }
  const archive = () => archiveLog({ ...options, log: testLog.log })
  const verify = () => verifyArchive(options)
  const change = async (name: string, edit: (content: Buffer) => void) => {
    const content = await readFile(join(folder, name))
    edit(content)
    await writeFile(join(folder, name), content)
  }
  return { folder, signer, ...testLog, options, archive, verify, change }
}

/** Signs what is in the log now. */
async function sign(t: ExecutionContext, { signer, log, checkpoints }: Awaited<ReturnType<typeof setUp>>, size: number) {
  const keeper = startKeeper(t, { ...signer, log, documents: await openTestDocuments(t) })
  await until(async () => (await checkpoints()).at(-1)?.size === size)
  await keeper.stop()
}

const inBytes = (held: Held): Held<Uint8Array> => ('json' in held ? { json: Buffer.from(held.json) } : { base64: Buffer.from(held.base64) })

const codes = ({ findings }: Awaited<ReturnType<typeof verifyArchive>>) => findings.map(({ code }) => code)

test('what is archived is the log, in segments that go on from one another and agree with its checkpoints', async (t) => {
  const context = await setUp(t)
  await context.append(130)
  await sign(t, context, 130)
  await context.archive()
  await context.append(120)
  await sign(t, context, 250)
  const newest = await context.archive()
  t.like(newest, { number: 3, first: 230, count: 20 })
  const verified = await context.verify()
  t.like(verified, { segments: 4, events: 250, checkpoints: 2, findings: [], unreferenced: [] })
  t.true(isSame(verified.root, (await rootOfLog(context.log)).root))
  t.like(await context.archive(), { number: 3 }, 'there is nothing new')
  const archived = []
  for await (const { rows } of readSegments(context.options)) archived.push(...rows.map(({ event }) => event))
  const logged = (await allOf(context.log)).filter(({ stream }) => stream.startsWith('wallet-'))
  t.deepEqual(archived, logged)
})

test('restored into an empty log it has the same root, its checkpoints hold, and archiving goes on', async (t) => {
  const context = await setUp(t)
  await context.append(130)
  await context.append(90)
  await sign(t, context, 220)
  await context.archive()
  const other = await openTestLog(t, context.signer.key)
  const restored = await restoreArchive({ ...context.options, log: other.log, tenant: '*' })
  t.like(restored, { events: 220, checkpoints: 1 })
  t.deepEqual((await rootOfLog(other.log)).root, (await rootOfLog(context.log)).root)
  t.deepEqual(await other.checkpoints(), await context.checkpoints())
  await other.append(5)
  t.like(await archiveLog({ ...context.options, log: other.log }), { first: 200, count: 20 }, 'what is not signed yet waits for it')
  await sign(t, { ...context, ...other }, 225)
  t.like(await archiveLog({ ...context.options, log: other.log }), { first: 220, count: 5 })
  t.deepEqual((await context.verify()).findings, [])
  await other.append(1)
  await t.throwsAsync(
    restoreArchive({ ...context.options, log: other.log, tenant: '*' }),
    { code: 'log_not_empty' },
    'it has gone on since',
  )
})

test('a segment ends with its bytes, too', async (t) => {
  const context = await setUp(t)
  await context.append(5_500)
  t.like(await archiveLog({ ...context.options, log: context.log, segmentEvents: 1_000_000, segmentBytes: 1 }), {
    number: 1,
    first: 5_000,
    count: 500,
  })
  t.like(await context.verify(), { segments: 2, events: 5_500, findings: [], unreferenced: [] })
})

test('a restore that was interrupted is gone on with, and a log that has anything else is refused', async (t) => {
  const context = await setUp(t)
  for (let stream = 0; stream < 6; stream++) await context.append(40)
  await sign(t, context, 240)
  await context.archive()
  for (const appends of [1, 3, 6]) {
    const other = await openTestLog(t, context.signer.key)
    let left = appends
    const append: typeof other.log.append = (...args) => (left-- > 0 ? other.log.append(...args) : Promise.reject(new Error('killed')))
    await t.throwsAsync(restoreArchive({ ...context.options, log: { ...other.log, append }, tenant: '*' }), { message: 'killed' })
    t.is((await rootOfLog(other.log)).size, 40 * appends)
    for (const run of ['goes on', 'finds all done']) {
      t.like(await restoreArchive({ ...context.options, log: other.log, tenant: '*' }), { events: 240, checkpoints: 1 }, run)
      t.deepEqual((await rootOfLog(other.log)).root, (await rootOfLog(context.log)).root)
      t.is((await other.checkpoints()).length, 1)
    }
  }
  const foreign = await openTestLog(t, context.signer.key)
  await foreign.append(3)
  await t.throwsAsync(restoreArchive({ ...context.options, log: foreign.log, tenant: '*' }), { code: 'log_not_empty' })
  t.is((await rootOfLog(foreign.log)).size, 3)
})

test('killed between any two steps, archiving leaves nothing that is taken for a segment, and the next run leaves nothing of it', async (t) => {
  const context = await setUp(t, { segmentEvents: 40 })
  await context.append(50)
  const { store } = context.options
  let steps = 0
  for (let isDone = false; !isDone; steps++) {
    let left = steps
    // What was killed does nothing more, neither before the step nor after it.
    const put: typeof store.put = async (...args) => {
      if (left-- <= 0) throw new Error('killed')
      return store.put(...args)
    }
    const run = archiveLog({ ...context.options, log: context.log, store: { ...store, put }, segmentEvents: 40 + steps })
    isDone = await run.then(
      () => true,
      () => false,
    )
    const { findings, events } = await context.verify()
    t.deepEqual(findings, [], `after ${steps} steps`)
    t.true(events <= 50)
  }
  t.true(steps > 3)
  t.like(await context.verify(), { events: 50, findings: [], unreferenced: [] })
  t.deepEqual(await readdir(join(context.folder, '.unfinished')), [])
})

test('of two runs at once one archives, and the other is told, or has archived what follows', async (t) => {
  const context = await setUp(t, { segmentEvents: 40 })
  await context.append(300)
  const runs = await Promise.allSettled([context.archive(), archiveLog({ ...context.options, log: context.log, segmentEvents: 70 })])
  for (const run of runs) if (run.status === 'rejected') t.true(run.reason instanceof ArchiveOvertaken, String(run.reason))
  t.true(runs.some(({ status }) => status === 'fulfilled'))
  t.like(await context.verify(), { events: 300, findings: [], unreferenced: [] })
})

test('what is archived while the log grows is what it held when it was caught up with, and the rest follows', async (t) => {
  const context = await setUp(t, { segmentEvents: 60 })
  await context.append(100)
  const growing = (async () => {
    for (let more = 0; more < 10; more++) await context.append(20)
  })()
  await context.archive()
  await growing
  t.deepEqual((await context.verify()).findings, [])
  await context.archive()
  t.like(await context.verify(), { events: 300, findings: [] })
  t.true(isSame((await context.verify()).root, (await rootOfLog(context.log)).root))
})

test('every byte of a segment, of the hashes, of the index and of a manifest counts', async (t) => {
  const context = await setUp(t, { segmentEvents: 30 })
  await context.append(60)
  await context.archive()
  const files = (await readdir(context.folder, { recursive: true })).filter((name) => /\.(parquet|leaves|index|json)$/.test(name))
  t.is(files.length, 8)
  for (const file of files) {
    const { length } = await readFile(join(context.folder, file))
    for (let at = 0; at < length; at += Math.ceil(length / 40)) {
      const flip = (content: Buffer) => {
        content[at]! ^= 1
      }
      await context.change(file, flip)
      const { findings } = await context.verify()
      t.true(findings.length > 0, `${file} at ${at}`)
      // Which of the two segments, and which events of it.
      const [segment, events] = /0000000(1|00030-)/.test(file) ? [1, /30|5[0-9]/] : [0, /0 to 29/]
      const isNamed = ({ leafIndex, message }: Finding) => leafIndex !== undefined || events.test(message) || file.startsWith('manifests')
      t.true(findings.every((finding) => finding.segment >= segment! && isNamed(finding)))
      t.true(
        findings.every((finding) => finding.file === file || finding.code === 'manifests_out_of_order'),
        `${file} at ${at}: ${findings.map(({ message }) => message)}`,
      )
      await context.change(file, flip)
    }
  }
  t.deepEqual((await context.verify()).findings, [])
})

test('an index that was signed and hides events is found, and a segment without one is read whole', async (t) => {
  const context = await setUp(t)
  const [{ id }] = (await context.append(60)) as [NewEvent]
  const newest = await context.archive()
  const { index, ...withoutIndex } = newest!
  const { stream } = (await allOf(context.log)).find((event) => event.id === id)!
  const replaced = async (manifest: Manifest) => {
    const { text } = await signManifest(manifest, context.signer.identity)
    await writeFile(join(context.folder, manifestName(0)), text)
    return context.verify()
  }
  const found = async () => {
    const groups = []
    for await (const { events } of lookUp(context.options, stream)) groups.push(...events)
    return groups
  }
  const looked = await found()
  t.is(looked.length, 60)

  const hiding = Buffer.from(`${(await readFile(join(context.folder, index!.name), 'latin1')).split(' ', 2).join(' ')}\n`)
  await context.options.store.put('segments/hiding.index', hiding)
  const { findings } = await replaced({
    ...newest!,
    index: { name: 'segments/hiding.index', bytes: hiding.length, sha256: sha256(hiding) },
  })
  t.deepEqual(
    findings.map(({ code, file }) => [code, file]),
    [['index_changed', 'segments/hiding.index']],
  )
  t.is((await found()).length, 1)

  t.deepEqual((await replaced(withoutIndex)).findings, [])
  t.deepEqual(await found(), looked)
})

test('of a segment no byte is taken that was not signed, whether its index has hashes of blocks, as it has, or was made before', async (t) => {
  const context = await setUp(t)
  const noise = () => randomBytes(4_000).toString('base64')
  await context.log.append(
    'wallet-1',
    'any',
    newEvents(40).map((event) => ({ ...event, data: { noise: noise() } })),
  )
  const newest = await context.archive()
  const { index, segment } = newest!
  const found = async () => {
    const events = []
    for await (const group of lookUp(context.options, 'wallet-1')) events.push(...group.events)
    return events
  }
  const resigned = async (name: string, text: string) => {
    await context.options.store.put(name, Buffer.from(text))
    const other = { ...newest!, index: { name, bytes: text.length, sha256: sha256(Buffer.from(text)) } }
    await writeFile(join(context.folder, manifestName(0)), (await signManifest(other, context.signer.identity)).text)
    return codes(await context.verify())
  }
  const refusesChanges = async () => {
    for (let at = 0; at < segment.bytes; at += Math.ceil(segment.bytes / 10)) {
      const flip = (content: Buffer) => {
        content[at]! ^= 1
      }
      await context.change(segment.name, flip)
      await t.throwsAsync(found(), { instanceOf: SegmentUnreadable }, `byte ${at} of ${segment.bytes}`)
      await context.change(segment.name, flip)
    }
  }
  const whole = await found()
  t.is(whole.length, 40)
  await refusesChanges()

  const text = await readFile(join(context.folder, index!.name), 'latin1')
  const hash = text.split(' ').at(-1)!
  t.deepEqual(
    await resigned('segments/wrong.index', text.replace(hash, `${Buffer.from(sha256(Buffer.from('other'))).toString('base64')}\n`)),
    ['index_changed'],
  )
  await t.throwsAsync(found(), { instanceOf: SegmentUnreadable })

  t.deepEqual(await resigned('segments/before.index', text.slice(0, text.indexOf('sha256'))), [])
  t.deepEqual(await found(), whole)
  await refusesChanges()
})

test('which event was changed, dropped, inserted or moved is said', async (t) => {
  const context = await setUp(t)
  await context.append(90)
  await context.archive()
  const segments = join(context.folder, 'segments')
  const file = join(segments, (await readdir(segments)).find((name) => name.endsWith('.parquet'))!)
  const original = await readFile(file)
  const rows: SegmentRow[] = []
  for await (const group of context.options.format.read(original)) rows.push(...group)
  const rewritten = async (edit: (rows: SegmentRow[]) => SegmentRow[]) => {
    const writer = context.options.format.writer()
    for (const row of edit([...rows])) writer.add({ ...row, data: inBytes(row.data), metadata: inBytes(row.metadata) })
    await writeFile(file, await writer.finish())
    const { findings } = await context.verify()
    await writeFile(file, original)
    return findings.map(({ code, leafIndex }) => [code, leafIndex])
  }
  const other = { ...rows[7]!, data: { json: '{"n":70}' } }
  t.deepEqual(await rewritten((all) => all.with(7, other)), [['event_changed', 7]])
  t.deepEqual(await rewritten((all) => all.toSpliced(7, 1)), [['event_dropped', 7]])
  t.deepEqual(await rewritten((all) => all.toSpliced(7, 0, other)), [['event_inserted', 7]])
  t.deepEqual(await rewritten((all) => all.with(7, rows[8]!).with(8, rows[7]!)), [['events_reordered', 7]])
  t.deepEqual(await rewritten((all) => [...all, rows[3]!]), [['events_reordered', 90]])
  const moved = { ...rows[7]!, event: { ...rows[7]!.event, position: 1n } }
  t.deepEqual(await rewritten((all) => all.with(7, moved)), [['columns_changed', undefined]])
})

test('an index that was signed and is not that of its events is found: it would hide them', async (t) => {
  const context = await setUp(t)
  await context.append(60)
  const newest = await context.archive()
  const index = newest!.index!
  const wrong = Buffer.from((await readFile(join(context.folder, index.name), 'utf8')).replace(' 0 1 1', ' 0 1 2'))
  await writeFile(join(context.folder, index.name), wrong)
  const { text } = await signManifest({ ...newest!, index: { ...index, sha256: sha256(wrong) } }, context.signer.identity)
  await writeFile(join(context.folder, manifestName(0)), text)
  t.deepEqual(codes(await context.verify()), ['index_changed'])
})

test('a manifest of the same words that is laid out in another way was changed', async (t) => {
  const context = await setUp(t)
  await context.append(20)
  await context.archive()
  const file = join(context.folder, manifestName(0))
  const text = await readFile(file, 'utf8')
  const changes = [
    text.slice(0, -1),
    `${text}\n`,
    text.replace('\n "', '\n\t"'),
    text.replace('"count": 20', '"count": 2e1'),
    text.replace('"signature": "', '"signature": "more\\n\\n'),
  ]
  for (const changed of changes) {
    t.not(changed, text)
    await writeFile(file, changed)
    t.deepEqual(codes(await context.verify()), ['manifest_forged'])
  }
  await writeFile(file, text)
  t.deepEqual(codes(await context.verify()), [])
})

test('segments that were removed or swapped are named, and manifests that were forged, removed or swapped', async (t) => {
  const context = await setUp(t, { segmentEvents: 20 })
  await context.append(60)
  await context.archive()
  const segments = (await readdir(join(context.folder, 'segments'))).filter((name) => name.endsWith('.parquet')).sort()
  const [first, second, third] = segments.map((name) => join(context.folder, 'segments', name)) as [string, string, string]
  const [one, two] = [await readFile(first), await readFile(second)]
  await rm(third)
  await writeFile(first, two)
  await writeFile(second, one)
  const found = await context.verify()
  t.deepEqual(
    found.findings.map(({ code, segment }) => [code, segment]),
    [
      ['segment_replaced', 0],
      ['segment_replaced', 1],
      ['segment_missing', 2],
    ],
  )
  await writeFile(first, one.subarray(0, one.length - 40))
  await writeFile(second, two)
  await writeFile(third.replace('.parquet', '-extra.parquet'), two)
  const cut = await context.verify()
  t.like(cut.findings[0], { code: 'segment_unreadable', segment: 0 })
  t.regex(cut.findings[0]!.message, /events 0 to 19/)
  t.is(cut.unreferenced.length, 1)
  await writeFile(first, one)
  const manifest = (number: number) => join(context.folder, 'manifests', `0000000${number}.json`)
  const [m0, m1] = [await readFile(manifest(0)), await readFile(manifest(1))]
  await writeFile(manifest(0), m1)
  await writeFile(manifest(1), m0)
  t.true(codes(await context.verify()).includes('manifests_out_of_order'))
  await writeFile(manifest(0), m0)
  await rm(manifest(1))
  t.true(codes(await context.verify()).includes('manifest_missing'))
  await writeFile(manifest(1), String(m1).replace('"count": 20', '"count": 21'))
  t.true(codes(await context.verify()).includes('manifest_forged'))
})

test('a checkpoint of another tree is not archived with the events, and one in the archive is found', async (t) => {
  const context = await setUp(t)
  const [event] = newEvents(1)
  await context.append(3)
  await sign(t, context, 3)
  const other = await openTestLog(t, context.signer.key)
  for (const { stream, id, type, data, metadata } of await allOf(context.log))
    await other.log.append(stream, 'any', [{ id, type, data: stream.startsWith('wallet-') ? event!.data : data, metadata }])
  await t.throwsAsync(archiveLog({ ...context.options, log: other.log }), { code: 'log_rewritten' })
})

test('checkpoints are archived one after another, whenever they were signed', async (t) => {
  const context = await setUp(t)
  await context.append(5)
  await sign(t, context, 5)
  await context.append(3)
  t.like(await context.archive(), { first: 0, count: 5 })
  await sign(t, context, 8)
  await context.append(4)
  await sign(t, context, 12)
  await context.archive()
  t.like(await context.verify(), { events: 12, checkpoints: 3, findings: [] })
  const other = await openTestLog(t, context.signer.key)
  t.like(await restoreArchive({ ...context.options, log: other.log, tenant: '*' }), { checkpoints: 3 })
  await other.append(1)
  await sign(t, { ...context, ...other }, 13)
})

test('events too long for one append together are restored one after another', async (t) => {
  const context = await setUp(t)
  const events = newEvents(6).map((event) => ({ ...event, data: { text: 'x'.repeat(300_000) } }))
  for (const [index, event] of events.entries())
    await context.log.append('wallet-long', index === 0 ? 'no_stream' : BigInt(index - 1), [event])
  await context.archive()
  const other = await openTestLog(t, context.signer.key)
  t.like(await restoreArchive({ ...context.options, log: other.log, tenant: '*' }), { events: 6 })
})

test('what somebody else has written, and is not JSON, is restored as the bytes that it was', async (t) => {
  const context = await setUp(t)
  const [event] = newEvents(1) as [NewEvent]
  const foreign = { ...event, data: Uint8Array.of(0, 255, 123), metadata: Uint8Array.of(200) as never }
  await context.log.append('wallet-foreign', 'no_stream', [foreign])
  await context.archive()
  t.like(await context.verify(), { events: 1, findings: [] })
  const other = await openTestLog(t, context.signer.key)
  t.like(await restoreArchive({ ...context.options, log: other.log, tenant: '*' }), { events: 1 })
  for await (const { data, metadata } of other.log.readStream('wallet-foreign')) {
    t.deepEqual(Uint8Array.from(data as Uint8Array), foreign.data)
    t.deepEqual(Uint8Array.from(metadata as never), foreign.metadata)
  }
})

test('one that was signed of what was archived without any is archived with what follows', async (t) => {
  const context = await setUp(t)
  await context.append(5)
  await context.archive()
  await sign(t, context, 5)
  await context.append(2)
  await sign(t, context, 7)
  await context.archive()
  t.like(await context.verify(), { events: 7, checkpoints: 2, findings: [] })
})

test('a checkpoint that was kept elsewhere holds the archive to what it was', async (t) => {
  const context = await setUp(t, { segmentEvents: 4 })
  await context.append(6)
  await sign(t, context, 6)
  await context.archive()
  const [note] = (await allOf(context.log))
    .filter(({ stream }) => stream === 'checkpoints')
    .map(({ data }) => (data as { note: string }).note)
  const held = () => verifyArchive({ ...context.options, kept: [note!] })
  t.deepEqual(codes(await held()), [])
  await rm(join(context.folder, 'manifests/00000001.json'))
  t.deepEqual(codes(await held()), ['archive_truncated'])
  await writeFile(join(context.folder, 'manifests/00000000.json~'), 'x')
  t.deepEqual(codes(await held()), ['archive_truncated'])
})

test('what hangs on to the hashes, or is nested as deep as the stack, is found', async (t) => {
  const context = await setUp(t)
  await context.append(3)
  const manifest = (await context.archive())!
  const leaves = join(context.folder, manifest.leaves.name)
  const original = await readFile(leaves)
  await writeFile(leaves, Buffer.concat([original, Buffer.alloc(31)]))
  t.deepEqual(codes(await context.verify()), ['hashes_changed'])
  await writeFile(leaves, original)
  await writeFile(
    join(context.folder, 'manifests/00000000.json'),
    `{"manifest":${'['.repeat(200_000)}${']'.repeat(200_000)},"signature":""}`,
  )
  t.deepEqual(codes(await context.verify()), ['manifest_forged'])
})

test('DuckDB reads the segments, and counts what was logged', async (t) => {
  const context = await setUp(t)
  await context.append(250)
  await context.archive()
  const database = await (await DuckDBInstance.create(':memory:')).connect()
  const rows = async (query: string) => (await database.runAndReadAll(query)).getRowObjectsJson()
  const from = `from read_parquet('${context.folder}/segments/*')`
  t.deepEqual(await rows(`select count(*) as events, count(distinct id) as ids ${from}`), [{ events: '250', ids: '250' }])
  t.deepEqual(await rows(`select tenant, type, min(leaf_index) as first, max(leaf_index) as last ${from} group by all`), [
    { tenant: 'acme', type: 'Happened', first: '0', last: '249' },
  ])
  t.deepEqual(await rows(`select json_extract_string(data, '$.n') as n ${from} where leaf_index = 17`), [{ n: '17' }])
  t.deepEqual(await rows(`select occurred_at ${from} where revision = 3`), [{ occurred_at: '2026-01-01 00:00:00' }])
})

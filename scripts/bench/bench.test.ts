import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import type { Findings } from './report.ts'
import { measuredOfTheRealServer } from './store/reference.ts'
import { ROWS } from './store/store.ts'

const BENCH = fileURLToPath(new URL('../bench.js', import.meta.url))
const WITHIN_MS = 100_000

async function bench(t: ExecutionContext, ...args: string[]): Promise<Findings & { printed: string }> {
  const out = join(await temporaryFolder(t), 'figures.json')
  const { stdout } = await promisify(execFile)(process.execPath, [BENCH, ...args, '--out', out], { timeout: WITHIN_MS })
  return { ...(JSON.parse(await readFile(out, 'utf8')) as Findings), printed: stdout }
}

async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-bench-test-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const namesOf = ({ figures }: Findings) => [...new Set(figures.map(({ name }) => name))]
const assertMeasured = (t: ExecutionContext, { figures }: Findings) => {
  for (const { name, of, value } of figures) t.true(value > 0, `${name}, ${of}: ${value}`)
}

test('the store is measured on disk and in memory, beside the figures of the real one', async (t) => {
  const only = '^(appendBatchesOf200|readStreamForwards|subscribeAllFilteredCatchUp|appendToSubscriber)$'
  const found = await bench(t, 'store', '--events', '500', '--seconds', '0.1', '--rounds', '1', '--only', only)
  assertMeasured(t, found)
  t.deepEqual(namesOf(found), ['appendBatchesOf200', 'readStreamForwards', 'subscribeAllFilteredCatchUp', 'appendToSubscriber'])
  t.deepEqual([...new Set(found.figures.map(({ of }) => of))], ['disk', 'memory'])
  const [disk] = found.figures.filter(({ name, of }) => name === 'readStreamForwards' && of === 'disk')
  t.true((disk?.real ?? 0) > 20_000)
  t.regex(found.printed, /readStreamForwards +disk +[\d,]+ +events\/s/)
})

test('everything that was measured of the real server is measured of this one', (t) => {
  const measured = ROWS.map(({ name }) => name)
  t.true(measuredOfTheRealServer().length > 10)
  t.deepEqual(
    measuredOfTheRealServer().filter((name) => !measured.includes(name)),
    [],
  )
})

test('read models are built by the real worker, whose memory and time are watched, and their lag is measured', async (t) => {
  const found = await bench(t, 'projections', '--events', '500', '--seconds', '0.2')
  assertMeasured(t, { ...found, figures: found.figures.filter(({ unit }) => unit !== 'ms') })
  t.true(found.figures.some(({ name, of }) => name === 'projected' && of === 'wallets'))
  t.true(found.figures.some(({ name, p99ms = -1 }) => name === 'lag p95 at 500 events/s' && p99ms >= 0))
  t.deepEqual(
    found.usage.map(({ of }) => of),
    ['event store', 'mongodb', 'nats', 'projection worker'],
  )
})

test('the whole log is replayed, and figures are printed beside those of an earlier run', async (t) => {
  const earlier = join(await temporaryFolder(t), 'earlier.json')
  const figures = [{ name: 'whole log, each event digested', of: 'reader', value: 0.5, unit: 'events/s' }]
  await writeFile(earlier, JSON.stringify({ figures, usage: [] }))
  const found = await bench(t, 'replay', '--events', '500', '--rounds', '1', '--compare', earlier)
  assertMeasured(t, found)
  t.is(found.figures.length, 2)
  t.regex(found.printed, /whole log, each event digested +reader +[\d,]+ +events\/s +0\.5 /)
})

test('a history is archived, verified, replayed and restored by the commands, whose time, memory and sizes are measured', async (t) => {
  const found = await bench(t, 'archive', '--events', '3000')
  assertMeasured(t, { ...found, figures: found.figures.filter(({ unit }) => unit !== 'µs/event') })
  const named = (unit: string) => found.figures.filter((figure) => figure.unit === unit)
  t.deepEqual(
    named('events/s').map(({ name }) => name),
    ['generate', 'archive', 'verify', 'restore'],
  )
  t.is(named('ms').length, 4)
  t.is(named('MiB').length, 4)
  t.is(named('bytes/event').length, 5)
})

test('a benchmark that does not exist is refused, and the ones that do are named', async (t) => {
  const refused = await t.throwsAsync(promisify(execFile)(process.execPath, [BENCH, 'everything'], { timeout: WITHIN_MS }))
  t.regex(refused?.message ?? '', /system\|signing\|store\|projections\|replay\|archive/)
})

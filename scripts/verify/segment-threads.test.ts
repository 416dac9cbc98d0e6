import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { folderStore } from '../../adapters/archive/folder-store.ts'
import { parquetFormat } from '../../adapters/archive/parquet-format.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import { verifyArchive } from '../../audit/archive/verifying.ts'
import { archiveLog } from '../../audit/archive/writing.ts'
import { newEvents, newSigner, openTestLog } from '../../audit/testing/audited-log.ts'
import { sha256 } from '../../audit/testing/sha256.ts'
import type { Manifest } from '../../domain/archive/manifest.ts'
import { startSegmentThreads } from './segment-threads.ts'

/** An archive of seven segments, verified on this thread and on others. */
async function archived(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-threads-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const signer = newSigner()
  const { log } = await openTestLog(t, signer.key)
  await log.append(`wallet-${randomUUID()}`, 'no_stream', newEvents(70))
  const options = { ...signer, store: folderStore(folder), format: await parquetFormat(), verify: verifyIdentity, sha256 }
  await archiveLog({ ...options, log, segmentEvents: 10, signal: new AbortController().signal, onSegment() {} })
  const place = { url: folder, coldClass: 'GLACIER', retentionDays: 1 }
  const threads = startSegmentThreads(place, 7)!
  t.teardown(() => threads.close())
  const files = (await readdir(folder, { recursive: true })).sort()
  return {
    folder,
    threads,
    file: (name: RegExp, number: number) => join(folder, files.filter((each) => name.test(each))[number]!),
    verify: () => verifyArchive(options),
    verifyOnThreads: () => verifyArchive({ ...options, elsewhere: threads }),
  }
}

test('what is found on several threads is what is found on one, in the same order', async (t) => {
  const { file, verify, verifyOnThreads, threads } = await archived(t)
  t.true(threads.atOnce > 2)
  t.deepEqual(await verifyOnThreads(), await verify())
  t.like(await verify(), { segments: 7, events: 70, findings: [] })
  const damage = async (path: string) => {
    const content = await readFile(path)
    content[content.length >> 1]! ^= 1
    await writeFile(path, content)
  }
  const swap = async (one: string, other: string) => {
    const [first, second] = [await readFile(one), await readFile(other)]
    await writeFile(one, second)
    await writeFile(other, first)
  }
  await damage(file(/\.parquet$/, 0))
  await damage(file(/\.leaves$/, 1))
  await damage(file(/\.index$/, 1))
  await rm(file(/\.leaves$/, 2))
  await damage(file(/manifests\/.*json$/, 3))
  await swap(file(/\.parquet$/, 4), file(/\.parquet$/, 5))
  await rm(file(/\.parquet$/, 6))
  const found = await verify()
  t.deepEqual([...new Set(found.findings.map(({ segment }) => segment))], [0, 1, 2, 3, 4, 5, 6])
  t.deepEqual(await verifyOnThreads(), found)
})

test('a thread that fails is heard of', async (t) => {
  const { folder, verifyOnThreads } = await archived(t)
  const [index] = await readdir(join(folder, 'indexes'))
  const path = join(folder, 'indexes', index!)
  await rm(path)
  await mkdir(path)
  await t.throwsAsync(verifyOnThreads(), { any: true, message: /EISDIR/ })
})

test('a check that waits for a thread is given up when there is none left', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-threads-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const threads = startSegmentThreads({ url: folder, coldClass: 'GLACIER', retentionDays: 1 }, 2)!
  t.teardown(() => threads.close())
  // What is no file fails on every thread.
  const manifest = { leaves: { name: '.' } } as Manifest
  const checks = await Promise.allSettled([1, 2, 3].map(() => threads.check(manifest)))
  t.deepEqual(
    checks.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  )
  await t.throwsAsync(threads.check(manifest), { any: true, message: /EISDIR/ })
})

test('a single segment, or a single core, is left to the thread that asks', (t) => {
  t.is(startSegmentThreads({ url: '.', coldClass: 'GLACIER', retentionDays: 1 }, 1), undefined)
})

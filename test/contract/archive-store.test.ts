import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openArchiveStore } from '../../adapters/archive/open-store.ts'
import { type ArchiveStore, NotRetrieved } from '../../domain/ports/archive.ts'
import { archiveStoreContract, listed, SETTINGS } from './archive-store.ts'

const S3rver = createRequire(import.meta.url)('s3rver')

async function openFolder(t: ExecutionContext): Promise<ArchiveStore> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-store-'))
  t.teardown(() => rm(folder, { recursive: true }))
  return openArchiveStore({ ...SETTINGS, url: folder })
}

async function openBucket(t: ExecutionContext): Promise<ArchiveStore> {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-s3-'))
  const server = new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory, configureBuckets: [{ name: 'archive' }] })
  const { port } = (await server.run()) as AddressInfo
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' })
  const store = await openArchiveStore({ ...SETTINGS, url: `s3://archive/quorate?endpoint=http://127.0.0.1:${port}&region=us-east-1` })
  t.teardown(async () => {
    await store.close()
    await server.close()
    await rm(directory, { recursive: true })
  })
  return store
}

archiveStoreContract(test, 'a folder', openFolder, { hasTiers: true })
// The server in JavaScript knows neither classes nor object lock: `.ci/s3` has one that does.
archiveStoreContract(test, 'a bucket', openBucket, { hasTiers: false })

test('in a folder, what a run that was killed has begun is discarded with it, and nothing else', async (t) => {
  const store = await openFolder(t)
  const drafts = join(store.place, '.unfinished')
  await mkdir(drafts)
  for (const draft of ['segments+1-a.parquet.0', 'segments+2-a.parquet.0']) await writeFile(join(drafts, draft), 'half')
  await store.discard('segments/1-', [])
  t.deepEqual(await readdir(drafts), ['segments+2-a.parquet.0'])
})

test('in a folder, the cold tier may be on another disk', async (t) => {
  const store = await openFolder(t)
  const disk = await mkdtemp('/dev/shm/quorate-cold-').catch(() => undefined)
  if (disk === undefined) {
    t.pass('there is no other disk on this machine')
    return
  }
  t.teardown(() => rm(disk, { recursive: true }))
  await store.put('segments/one', Buffer.from('one'))
  await symlink(disk, join(store.place, 'cold'))
  t.not((await stat(disk)).dev, (await stat(store.place)).dev)
  await store.moveTo('cold', 'segments/one')
  t.deepEqual(await readdir(join(disk, 'segments')), ['one'])
  await t.throwsAsync(store.get('segments/one'), { instanceOf: NotRetrieved })
  await store.retrieve('segments/one', 7)
  t.like((await listed(store, 'segments/'))[0], { tier: 'cold', retrieval: 'readable' })
  await store.moveTo('cold', 'segments/one')
  await store.moveTo('warm', 'segments/one')
  t.deepEqual(Buffer.from((await store.get('segments/one'))!), Buffer.from('one'))
  t.deepEqual(await readdir(join(disk, 'segments')), [])
  t.deepEqual(await readdir(join(disk, '.unfinished')), [])
})

test('in a folder, nothing unfinished is left of what went cold and came back', async (t) => {
  const store = await openFolder(t)
  await store.put('segments/one', Buffer.from('one'))
  await store.moveTo('cold', 'segments/one')
  await store.retrieve('segments/one', 7)
  await store.moveTo('cold', 'segments/one')
  await t.throwsAsync(store.get('segments/one'), { instanceOf: NotRetrieved })
  await store.moveTo('warm', 'segments/one')
  t.deepEqual(await readdir(join(store.place, '.unfinished')), [])
})

test('a place that is neither is refused', async (t) => {
  await t.throwsAsync(openArchiveStore({ ...SETTINGS, url: 'ftp://archive' }), { name: 'InvalidSetting' })
})

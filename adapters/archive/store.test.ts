import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type ArchiveStore, NotRetrieved, type StoredObject } from '../../domain/ports/archive.ts'
import { openArchiveStore } from './open-store.ts'

const S3rver = createRequire(import.meta.url)('s3rver')

const settings = { coldClass: 'GLACIER', retentionDays: 2_555 }

const STORES: { readonly [name: string]: (t: ExecutionContext) => Promise<ArchiveStore> } = {
  'a folder': async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'quorate-store-'))
    t.teardown(() => rm(folder, { recursive: true }))
    return openArchiveStore({ ...settings, url: folder })
  },
  'a bucket': async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-s3-'))
    const server = new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory, configureBuckets: [{ name: 'archive' }] })
    const { port } = (await server.run()) as AddressInfo
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' })
    const store = await openArchiveStore({ ...settings, url: `s3://archive/quorate?endpoint=http://127.0.0.1:${port}&region=us-east-1` })
    t.teardown(async () => {
      await store.close()
      await server.close()
      await rm(directory, { recursive: true })
    })
    return store
  },
}

async function listed(store: ArchiveStore, prefix: string): Promise<StoredObject[]> {
  const found: StoredObject[] = []
  for await (const object of store.list(prefix)) found.push(object)
  return found
}

for (const [name, open] of Object.entries(STORES)) {
  test(`${name} keeps what was put first, whole, under its name`, async (t) => {
    const store = await open(t)
    const content = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251)
    t.is(await store.get('segments/one'), undefined)
    t.true(await store.put('segments/one', content))
    t.false(await store.put('segments/one', new Uint8Array(3)))
    t.deepEqual(Uint8Array.from((await store.get('segments/one'))!), content)
    t.true(await store.put('segments/empty', new Uint8Array()))
    t.is((await store.get('segments/empty'))!.length, 0)
  })

  test(`${name} reads what there is of a range`, async (t) => {
    const store = await open(t)
    await store.put('segments/one', Buffer.from('0123456789'))
    const part = async (start: number, end: number) => Buffer.from((await store.get('segments/one', { start, end }))!).toString()
    t.deepEqual([await part(0, 3), await part(4, 10), await part(8, 20), await part(30, 40)], ['012', '456789', '89', ''])
    t.is(await store.get('segments/two', { start: 0, end: 3 }), undefined)
  })

  test(`${name} lists by prefix, in order`, async (t) => {
    const store = await open(t)
    for (const object of ['manifests/2', 'segments/1', 'manifests/1']) await store.put(object, Buffer.from(object))
    t.deepEqual(
      (await listed(store, 'manifests/')).map(({ name: each, bytes, tier }) => [each, bytes, tier]),
      [
        ['manifests/1', 11, 'warm'],
        ['manifests/2', 11, 'warm'],
      ],
    )
    t.deepEqual(await listed(store, 'elsewhere/'), [])
  })

  test(`${name} takes objects of more than one part`, async (t) => {
    const store = await open(t)
    const content = Buffer.alloc(40 * 2 ** 20, 'quorate')
    t.true(await store.put('segments/large', content))
    t.true(content.equals((await store.get('segments/large'))!))
    t.false(await store.put('segments/large', content))
  })
}

for (const [name, open] of Object.entries(STORES)) {
  test(`${name} discards what begins so, but for what is excepted`, async (t) => {
    const store = await open(t)
    for (const object of ['segments/1-a', 'segments/1-b', 'segments/2-a']) await store.put(object, Buffer.from(object))
    await store.discard('segments/1-', ['segments/1-b'])
    t.deepEqual(
      (await listed(store, 'segments/')).map((object) => object.name),
      ['segments/1-b', 'segments/2-a'],
    )
  })
}

test('in a folder, what a run that was killed has begun is discarded with it, and nothing else', async (t) => {
  const store = await STORES['a folder']!(t)
  const drafts = join(store.place, '.unfinished')
  await mkdir(drafts)
  for (const draft of ['segments+1-a.parquet.0', 'segments+2-a.parquet.0']) await writeFile(join(drafts, draft), 'half')
  await store.discard('segments/1-', [])
  t.deepEqual(await readdir(drafts), ['segments+2-a.parquet.0'])
})

test('in a folder, the cold tier may be on another disk', async (t) => {
  const store = await STORES['a folder']!(t)
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

test('in a folder, what is cold is read once it was asked for', async (t) => {
  const store = await STORES['a folder']!(t)
  await store.put('segments/one', Buffer.from('one'))
  await store.moveTo('cold', 'segments/one')
  t.like((await listed(store, 'segments/'))[0], { tier: 'cold', retrieval: 'none' })
  await t.throwsAsync(store.get('segments/one'), { instanceOf: NotRetrieved })
  t.false(await store.put('segments/one', Buffer.from('two')))
  await store.retrieve('segments/one', 7)
  t.like((await listed(store, 'segments/'))[0], { tier: 'cold', retrieval: 'readable' })
  t.deepEqual(Buffer.from((await store.get('segments/one'))!), Buffer.from('one'))
  await store.moveTo('cold', 'segments/one')
  await t.throwsAsync(store.get('segments/one'), { instanceOf: NotRetrieved })
  await store.moveTo('warm', 'segments/one')
  t.like((await listed(store, 'segments/'))[0], { tier: 'warm' })
  t.deepEqual(await readdir(join(store.place, '.unfinished')), [])
})

test('a place that is neither is refused', async (t) => {
  await t.throwsAsync(openArchiveStore({ ...settings, url: 'ftp://archive' }), { name: 'InvalidSetting' })
})

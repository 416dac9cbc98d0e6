import { randomUUID } from 'node:crypto'
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import anyTest, { type ExecutionContext } from 'ava'
import { openArchiveStore } from '../../adapters/archive/open-store.ts'
import { ArchiveRefused } from '../../domain/ports/archive.ts'
import { archiveStoreContract, listed, SETTINGS } from './archive-store.ts'

const endpoint = process.env.QUORATE_TEST_S3_URL
/**
 * Which one it is: moto retrieves what is in `GLACIER`, which MinIO does not know; MinIO locks what comes in parts, and copies, and decides between two that
 * come at once, which moto does not; and it lists uploads for whole names only.
 */
const isMoto = process.env.QUORATE_TEST_S3_SERVER === 'moto'
const COLD_CLASS = isMoto ? 'GLACIER' : 'REDUCED_REDUNDANCY'
const region = 'us-east-1'
const DAY_MS = 86_400_000

/** One after another: they share the server. */
const test = anyTest.serial

if (endpoint) {
  archiveStoreContract(test, 'a bucket of a real server', async (t) => (await newBucket(t)).store, { hasTiers: isMoto })

  const testUnlessMoto = isMoto ? test.skip : test
  testUnlessMoto('of those who put an object at once, one is told that it is theirs', async (t) => {
    const { store } = await newBucket(t)
    const wonBy = await Promise.all([1, 2, 3, 4].map((byte) => store.put('segments/one', new Uint8Array(100).fill(byte))))
    t.is(wonBy.filter(Boolean).length, 1)
    t.is((await store.get('segments/one'))![0], wonBy.indexOf(true) + 1)
  })

  test('in a bucket with object lock nothing can be deleted for as long as is set', async (t) => {
    const { store, client, bucket } = await newBucket(t, { ObjectLockEnabledForBucket: true })
    const lockOf = async (name: string) => {
      const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: `quorate/${name}` }))
      return { mode: head.ObjectLockMode, until: Number(head.ObjectLockRetainUntilDate) }
    }
    const objects = { 'segments/small': Buffer.from('small'), 'segments/of-parts': Buffer.alloc(17 * 2 ** 20, 'quorate') }
    for (const [name, content] of Object.entries(objects)) {
      t.true(await store.put(name, content))
      if (isMoto && name === 'segments/of-parts') continue
      const lock = await lockOf(name)
      t.is(lock.mode, 'COMPLIANCE', name)
      t.true(Math.abs(lock.until - Date.now() - SETTINGS.retentionDays * DAY_MS) < DAY_MS)
      if (isMoto) continue
      await store.moveTo('cold', name)
      t.deepEqual(await lockOf(name), lock, 'a copy is kept no longer')
    }
  })

  test('a cold class that is read at once needs not be asked for', async (t) => {
    const { store } = await newBucket(t, {}, isMoto ? 'STANDARD_IA' : COLD_CLASS)
    await store.put('segments/one', Buffer.from('one'))
    await store.moveTo('cold', 'segments/one')
    t.like((await listed(store, 'segments/'))[0], { tier: 'cold', retrieval: 'readable' })
    t.is(Buffer.from((await store.get('segments/one'))!).toString(), 'one')
  })

  test('what the bucket refuses is said with its reason', async (t) => {
    const { store } = await newBucket(t)
    await t.throwsAsync(store.moveTo('cold', 'segments/none'), { instanceOf: ArchiveRefused, code: 'archive_refused', message: /NotFound/ })
    const elsewhere = await openArchiveStore({ ...SETTINGS, url: `s3://${randomUUID()}/quorate?endpoint=${endpoint}&region=${region}` })
    await t.throwsAsync(elsewhere.put('segments/one', new Uint8Array(1)), { instanceOf: ArchiveRefused, message: /NoSuchBucket/ })
    await elsewhere.close()
  })

  test('parts of an upload that was not finished are discarded', async (t) => {
    const { store, client, bucket } = await newBucket(t)
    await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: 'quorate/segments/1-a' }))
    const uploads = async () =>
      (await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: 'quorate/segments/1-a' }))).Uploads
    t.is((await uploads())?.length, 1)
    await store.discard(isMoto ? 'segments/1-' : 'segments/1-a', [])
    t.is(await uploads(), undefined)
  })
} else test.skip('QUORATE_TEST_S3_URL names no server', () => {})

async function newBucket(t: ExecutionContext, options: { ObjectLockEnabledForBucket?: true } = {}, coldClass = COLD_CLASS) {
  const bucket = `quorate-${randomUUID()}`
  const client = new S3Client({ endpoint: endpoint!, region, forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket: bucket, ...options }))
  const store = await openArchiveStore({
    ...SETTINGS,
    coldClass,
    url: `s3://${bucket}/quorate?endpoint=${endpoint}&region=${region}`,
  })
  t.teardown(async () => {
    client.destroy()
    await store.close()
  })
  return { store, client, bucket }
}

import type { ExecutionContext, SerialFn, TestFn } from 'ava'
import { type ArchiveStore, NotRetrieved, type StoredObject } from '../../domain/ports/archive.ts'

export const SETTINGS = { coldClass: 'GLACIER', retentionDays: 2_557 }

export async function listed(store: ArchiveStore, prefix: string): Promise<StoredObject[]> {
  const found: StoredObject[] = []
  for await (const object of store.list(prefix)) found.push(object)
  return found
}

/** What any place for an archive has to keep, each test in an empty one. `hasTiers`: whether it has a cold one that is retrieved at once. */
export function archiveStoreContract(
  test: TestFn | SerialFn,
  name: string,
  open: (t: ExecutionContext) => Promise<ArchiveStore>,
  { hasTiers }: { hasTiers: boolean },
): void {
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

  test(`${name} discards what begins so, but for what is excepted`, async (t) => {
    const store = await open(t)
    for (const object of ['segments/1-a', 'segments/1-b', 'segments/2-a']) await store.put(object, Buffer.from(object))
    await store.discard('segments/1-', ['segments/1-b'])
    t.deepEqual(
      (await listed(store, 'segments/')).map((object) => object.name),
      ['segments/1-b', 'segments/2-a'],
    )
  })

  if (!hasTiers) return
  test(`of ${name} what is cold is read once it was asked for`, async (t) => {
    const store = await open(t)
    await store.put('segments/one', Buffer.from('one'))
    await store.put('segments/two', Buffer.from('two'))
    await store.moveTo('cold', 'segments/one')
    const kept = async () => (await listed(store, 'segments/')).map(({ tier, retrieval }) => [tier, retrieval])
    t.deepEqual(await kept(), [
      ['cold', 'none'],
      ['warm', 'none'],
    ])
    await t.throwsAsync(store.get('segments/one'), { instanceOf: NotRetrieved })
    t.false(await store.put('segments/one', Buffer.from('two')))
    for (const days of [7, 8]) await store.retrieve('segments/one', days)
    t.deepEqual((await kept())[0], ['cold', 'readable'])
    t.is(Buffer.from((await store.get('segments/one'))!).toString(), 'one')
    await store.moveTo('warm', 'segments/one')
    t.deepEqual((await kept())[0], ['warm', 'none'])
    t.is(Buffer.from((await store.get('segments/one'))!).toString(), 'one')
  })
}

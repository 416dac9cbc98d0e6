import test from 'ava'
import { checkpointHash, checkpointText } from '../domain/audit/checkpoint.ts'
import { isSame, rootAt } from '../domain/audit/merkle-tree.ts'
import { newestCheckpoints, readCheckpointOf, readHead, readLeaf, treeNodes } from '../domain/audit/tree-documents.ts'
import { allOf, newEvents, newSigner, openTestDocuments, openTestLog, rootOfLog, startKeeper, until } from './testing/audited-log.ts'
import { sha256 } from './testing/sha256.ts'

const _codesOf = (failures: readonly unknown[]) => failures.map((error) => (error as { code?: string }).code)

test('every event of the domain is a leaf, and nothing else; what is signed is the tree', async (t) => {
  const signer = newSigner()
  const { log, append, checkpoints } = await openTestLog(t, signer.key)
  const documents = await openTestDocuments(t)
  const [first] = await append(300)
  await log.append('elsewhere-1', 'any', newEvents(3))
  await log.writeSnapshot('wallet-1', { version: 1 })
  const keeper = startKeeper(t, { ...signer, log, documents })
  await until(async () => (await checkpoints()).at(-1)?.size === 300)
  const events = await append(700)
  await until(async () => (await newestCheckpoints(documents, 1))[0]?.size === 1000)
  const root = await rootOfLog(log)
  t.like((await checkpoints()).at(-1), root)
  t.true(isSame(await rootAt(1000, treeNodes(documents, sha256), sha256), root.root))
  t.like(await readLeaf(documents, first!.id), { index: 0, revision: 0n, tenant: 'acme' })
  t.like(await readLeaf(documents, events.at(-1)!.id), { index: 999, revision: 699n })
  await keeper.stop()
  t.deepEqual(keeper.failures, [])
})

test('stopped, it goes on from where it was; without its documents it makes them again, and not one checkpoint more', async (t) => {
  const signer = newSigner()
  const { log, append, checkpoints } = await openTestLog(t, signer.key)
  const documents = await openTestDocuments(t)
  for (const size of [100, 357]) {
    await append(size - ((await checkpoints()).at(-1)?.size ?? 0))
    const keeper = startKeeper(t, { ...signer, log, documents })
    await until(async () => (await checkpoints()).at(-1)?.size === size)
    await keeper.stop()
  }
  const emptied = await openTestDocuments(t)
  const again = startKeeper(t, { ...signer, log, documents: emptied })
  await until(async () => (await readHead(emptied))?.size === 357 && (await newestCheckpoints(emptied, 5)).length > 0)
  t.deepEqual(await newestCheckpoints(emptied, 100), await newestCheckpoints(documents, 100))
  await append(1)
  await until(async () => (await checkpoints()).at(-1)?.size === 358)
  const chain = await checkpoints()
  for (const [index, { previous, size, root }] of chain.entries()) {
    t.deepEqual(previous, index === 0 ? undefined : checkpointHash(checkpointText(chain[index - 1]!)))
    t.deepEqual((await rootOfLog(log, size)).root, root)
  }
  t.deepEqual(again.failures, [])
})

test('what the database loses while it is kept is made again, and nobody is told that it is whole before', async (t) => {
  const signer = newSigner()
  const { log, append, checkpoints } = await openTestLog(t, signer.key)
  const documents = await openTestDocuments(t)
  const keepers = [1, 2].map(() => startKeeper(t, { ...signer, log, documents }))
  const signed = (size: number) => until(async () => (await checkpoints()).at(-1)?.size === size)
  const [first] = await append(300)
  await signed(300)
  await append(300)
  await signed(600)
  const known = await checkpoints()
  let size = 600
  for (const lost of [[], ['audit_tiles'], ['audit_tree']]) {
    await documents.lose(...lost)
    // The loss of tiles shows when they are needed, any other at once.
    if (!lost.includes('audit_tiles')) await until(async () => (await readHead(documents))?.size === size)
    size += (await append(1)).length
    await signed(size)
    await until(async () => (await newestCheckpoints(documents, 1))[0]?.size === size && (await readHead(documents))?.size === size)
    t.like(await readLeaf(documents, first!.id), { index: 0 })
    t.true(isSame(await rootAt(size, treeNodes(documents, sha256), sha256), (await rootOfLog(log)).root))
    t.truthy(await readCheckpointOf(documents, known[0]!.size))
    t.is((await newestCheckpoints(documents, 200)).length, (await checkpoints()).length)
  }
  await Promise.all(keepers.map(({ stop }) => stop()))
  t.deepEqual(
    keepers.flatMap(({ failures }) => failures),
    [],
  )
})

test('three that work at once sign one chain, of one tree', async (t) => {
  const signer = newSigner()
  const { log, append, checkpoints } = await openTestLog(t, signer.key)
  const documents = await openTestDocuments(t)
  const keepers = [1, 2, 3].map(() => startKeeper(t, { ...signer, log, documents }))
  let size = 0
  for (let round = 0; round < 12; round++) {
    size += (await append(37)).length
    await until(async () => (await checkpoints()).at(-1)?.size === size)
  }
  const chain = await checkpoints()
  t.true(chain.every(({ size }, index) => index === 0 || size > chain[index - 1]!.size))
  for (const { size, root } of chain) t.deepEqual((await rootOfLog(log, size)).root, root)
  t.true(isSame(await rootAt(size, treeNodes(documents, sha256), sha256), chain.at(-1)!.root))
  t.deepEqual(
    keepers.flatMap(({ failures }) => failures),
    [],
  )
})

test('a checkpoint is signed when enough events have come, and else after a time', async (t) => {
  const signer = newSigner()
  const { log, append, checkpoints } = await openTestLog(t, signer.key)
  const documents = await openTestDocuments(t)
  await append(1)
  startKeeper(t, { ...signer, log, documents, everyEvents: 10, everyMs: 3_600_000 })
  await until(async () => (await checkpoints()).length === 1)
  await append(9)
  await until(async () => (await readHead(documents))?.size === 10)
  await append(1)
  await until(async () => (await checkpoints()).at(-1)?.size === 11)
  t.is((await checkpoints()).length, 2)
})

test('a restored log has its events at other positions: the tree goes on', async (t) => {
  const signer = newSigner()
  const original = await openTestLog(t, signer.key)
  const documents = await openTestDocuments(t)
  await original.append(20)
  const keeper = startKeeper(t, { ...signer, log: original.log, documents })
  await until(async () => (await original.checkpoints()).at(-1)?.size === 20)
  await keeper.stop()
  const restored = await openTestLog(t, signer.key)
  await restored.log.append('elsewhere-1', 'any', newEvents(7))
  for (const { stream, id, type, data, metadata } of await allOf(original.log))
    await restored.log.append(stream, 'any', [{ id, type, data, metadata }])
  t.notDeepEqual((await allOf(restored.log)).at(-1)?.position, (await allOf(original.log)).at(-1)?.position)
  await restored.append(1)
  const next = startKeeper(t, { ...signer, log: restored.log, documents })
  await until(async () => (await restored.checkpoints()).at(-1)?.size === 21)
  t.deepEqual((await rootOfLog(restored.log)).root, (await restored.checkpoints()).at(-1)!.root)
  t.deepEqual(next.failures, [])
})

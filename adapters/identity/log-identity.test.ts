import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { readCheckpoint, signCheckpoint } from '../../domain/audit/checkpoint.ts'
import { readVkey } from '../../domain/audit/signed-note.ts'
import { openLogIdentity } from './log-identity.ts'
import { verifyIdentity } from './verify.ts'

async function newFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-log-'))
  t.teardown(() => rm(folder, { recursive: true }))
  return folder
}

test("a log's key is made once, and what it signs is verified with the vkey beside it", async (t) => {
  const dataDir = await newFolder(t)
  const [one, other] = await Promise.all([1, 2].map(() => openLogIdentity({ dataDir, origin: undefined })))
  t.deepEqual(one!.key, other!.key)
  t.regex(one!.key.name, /^quorate-[0-9a-f]{16}$/)
  const key = readVkey((await readFile(join(dataDir, 'audit/vkey'), 'utf8')).trim())
  const note = await signCheckpoint(
    { size: 1, root: new Uint8Array(32), previous: undefined, time: '2026-01-01T00:00:00.000Z' },
    one!.identity,
  )
  t.is(readCheckpoint(note, key, verifyIdentity).checkpoint.origin, one!.key.name)
  t.is((await openLogIdentity({ dataDir, origin: 'log.example/1' })).key.name, 'log.example/1')
  t.is((await stat(join(dataDir, 'audit/identity'))).mode & 0o777, 0o600)
})

test('what was signed last is there after a restart', async (t) => {
  const dataDir = await newFolder(t)
  const { lastSigned } = await openLogIdentity({ dataDir, origin: undefined })
  t.is(await lastSigned.read(), undefined)
  for (const note of ['one', 'two']) await lastSigned.write(note)
  t.is(await (await openLogIdentity({ dataDir, origin: undefined })).lastSigned.read(), 'two')
})

test('a key that is damaged, or that others may read, is refused', async (t) => {
  const dataDir = await newFolder(t)
  await openLogIdentity({ dataDir, origin: undefined })
  const file = join(dataDir, 'audit/identity')
  await chmod(file, 0o644)
  await t.throwsAsync(openLogIdentity({ dataDir, origin: undefined }), { code: 'key_exposed' })
  await chmod(file, 0o600)
  await writeFile(file, 'damaged')
  await t.throwsAsync(openLogIdentity({ dataDir, origin: undefined }), { code: 'key_unreadable' })
})

test('where there must be a key already, none is made', async (t) => {
  const dataDir = join(await newFolder(t), 'mistyped')
  await t.throwsAsync(openLogIdentity({ dataDir, origin: undefined, mayBeNew: false }), { code: 'key_missing' })
  await t.throwsAsync(stat(dataDir), { code: 'ENOENT' })
  const { key } = await openLogIdentity({ dataDir, origin: undefined })
  t.deepEqual((await openLogIdentity({ dataDir, origin: undefined, mayBeNew: false })).key, key)
})

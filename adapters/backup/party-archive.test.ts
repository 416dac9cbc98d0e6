import { randomBytes } from 'node:crypto'
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { KeystoreRefused } from '../keystore/refused.ts'
import { liftFence, readFence } from '../ledger/fence.ts'
import { ledgerFileIn, openLedgerFile } from '../ledger/ledger-file.ts'
import { openSigningLedger } from '../ledger/signing-ledger.ts'
import { openWitnessStore } from '../ledger/witness-store.ts'
import { packFiles } from './file-stream.ts'
import { backUpParty, restoreParty } from './party-archive.ts'
import { BackupRefused } from './refused.ts'
import { openStream, sealStream } from './sealed-stream.ts'

const CHUNK = 64 * 1024
const passphrase = 'a passphrase for tests'
const cost = { N: 2 ** 10, r: 8, p: 1 }
const sound = async () => {}

async function workFolder(t: ExecutionContext): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'quorate-backup-'))
  t.teardown(() => rm(work, { recursive: true, force: true }))
  return work
}

/** A folder as of a party that runs, and what is in it. */
async function partyFolder(t: ExecutionContext, extra: { [path: string]: Buffer } = {}) {
  const work = await workFolder(t)
  const dir = join(work, 'party-1')
  const files: { [path: string]: Buffer } = {
    'shares/key-1/epoch-1.json': Buffer.from('{"sealed":"00"}'),
    'shares/key-2/revoked': Buffer.alloc(0),
    'keystore/keystore.json': randomBytes(300),
    'identity/signing-key': randomBytes(80),
    ...extra,
  }
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), bytes)
  }
  const ledger = openSigningLedger({ file: ledgerFileIn(dir) })
  t.teardown(() => ledger.close())
  await ledger.spend(['intent-1'], 'generate key-1')
  return { work, dir, files, ledger, archive: { file: join(work, 'backup'), passphrase } }
}

test('all that a party keeps comes back, its ledger as of the backup, readable by its owner only', async (t) => {
  const large = { 'shares/large.json': randomBytes(5 * CHUNK), 'shares/even.json': randomBytes(CHUNK) }
  const { work, dir, files, ledger, archive } = await partyFolder(t, large)
  for (const name of ['epoch-2.json.7f3c5e0e-6e0b-4a8e-9a39-8b8d7f0c2a11.draft', 'x.7f3c5e0e-6e0b-4a8e-9a39-8b8d7f0c2a11'])
    await writeFile(join(dir, 'shares/key-1', name), 'half')
  const paths = await backUpParty(dir, { ...archive, cost })
  t.deepEqual(paths.toSorted(), [...Object.keys(files), 'ledger.db'].toSorted())
  t.is((await stat(archive.file)).mode & 0o777, 0o600)
  await ledger.spend(['intent-2'], 'generate key-2')

  const restored = join(work, 'elsewhere', 'party-1')
  t.deepEqual((await restoreParty(restored, archive, sound)).toSorted(), paths.toSorted())
  for (const [path, bytes] of Object.entries(files)) {
    t.true(bytes.equals(await readFile(join(restored, path))), path)
    t.is((await stat(join(restored, path))).mode & 0o777, 0o600)
  }
  const copy = openLedgerFile(ledgerFileIn(restored))
  t.is(copy.head().sequence, 1)
  copy.close()
  t.deepEqual((await readdir(work)).toSorted(), ['backup', 'elsewhere', 'party-1'])
})

test('nothing of it can be read in the archive', async (t) => {
  const { dir, archive, files } = await partyFolder(t)
  await backUpParty(dir, { ...archive, cost })
  const bytes = await readFile(archive.file)
  for (const each of ['sealed', 'keystore.json', 'shares', 'intent-1', 'SQLite', files['identity/signing-key']!])
    t.false(bytes.includes(each))
})

test('an archive that was altered, cut off or lengthened anywhere is refused, and nothing is left of it', async (t) => {
  const { work, dir, archive } = await partyFolder(t, { 'shares/large.json': randomBytes(3 * CHUNK) })
  await backUpParty(dir, { ...archive, cost })
  const whole = await readFile(archive.file)
  const header = 23 + 4 + whole.readUInt32BE(23)
  const sealed = CHUNK + 16
  const flipped = (at: number) => Buffer.from(whole.map((byte, index) => (index === at ? byte ^ 1 : byte)))
  const without = (from: number, to: number) => Buffer.concat([whole.subarray(0, from), whole.subarray(to)])
  const damaged = [
    ...[header, header + sealed, whole.length - 1, whole.length - 17].map(flipped),
    ...[header, header + 1, header + sealed, header + 2 * sealed, whole.length - 1].map((length) => whole.subarray(0, length)),
    without(header, header + sealed),
    without(header + sealed, header + 2 * sealed),
    Buffer.concat([
      whole.subarray(0, header),
      whole.subarray(header + sealed, header + 2 * sealed),
      whole.subarray(header, header + sealed),
      whole.subarray(header + 2 * sealed),
    ]),
    Buffer.concat([whole, Buffer.of(0)]),
    Buffer.concat([whole, whole.subarray(header)]),
    Buffer.alloc(0),
    Buffer.from('something else'),
  ]
  for (const [index, bytes] of damaged.entries()) {
    const file = join(work, `damaged-${index}`)
    await writeFile(file, bytes)
    await t.throwsAsync(restoreParty(join(work, 'restored'), { file, passphrase }, sound), {
      instanceOf: BackupRefused,
      code: 'archive_damaged',
    })
  }
  for (const at of [0, 23, 40, header - 5]) {
    const file = join(work, `header-${at}`)
    await writeFile(file, flipped(at))
    await t.throwsAsync(restoreParty(join(work, 'restored'), { file, passphrase }, sound))
  }
  t.false((await readdir(work)).some((name) => name.startsWith('restored')))
})

test('a restored party is fenced where its ledger ends, or where it was before, until that is lifted', async (t) => {
  const { work, dir, archive, ledger } = await partyFolder(t)
  await backUpParty(dir, { ...archive, cost })
  const restored = join(work, 'restored')
  await restoreParty(restored, archive, sound)
  const file = ledgerFileIn(restored)
  t.deepEqual(readFence(file), { head: ledger.head(), witnessed: ledger.head() })
  t.is(readFence(ledgerFileIn(dir)), undefined)

  const store = openWitnessStore({ file })
  store.confront({ sequence: 9n, hash: new Uint8Array(32) })
  store.close()
  const again = { ...archive, file: `${archive.file}-again` }
  await backUpParty(restored, { ...again, cost })
  await restoreParty(join(work, 'restored-again'), again, sound)
  t.is(readFence(ledgerFileIn(join(work, 'restored-again')))?.witnessed.sequence, 9n)

  t.is(liftFence(file, { by: 'operator', reason: 'a test' })?.sequence, 10n)
  t.is(readFence(file), undefined)
})

test('a wrong passphrase is told from damage', async (t) => {
  const { work, dir, archive } = await partyFolder(t)
  await backUpParty(dir, { ...archive, cost })
  await t.throwsAsync(restoreParty(join(work, 'restored'), { ...archive, passphrase: 'a passphrase for testz' }, sound), {
    instanceOf: KeystoreRefused,
    code: 'passphrase_wrong',
  })
})

test('nothing is restored over a folder that is in use, nor backed up over an archive', async (t) => {
  const { work, dir, archive, files } = await partyFolder(t)
  await backUpParty(dir, { ...archive, cost })
  await t.throwsAsync(restoreParty(dir, archive, sound), { instanceOf: BackupRefused, code: 'folder_in_use' })
  t.true(files['identity/signing-key']!.equals(await readFile(join(dir, 'identity/signing-key'))))
  const before = await readFile(archive.file)
  await t.throwsAsync(backUpParty(dir, { ...archive, cost }), { instanceOf: BackupRefused, code: 'archive_exists' })
  t.true(before.equals(await readFile(archive.file)))
  await mkdir(join(work, 'empty'))
  await t.notThrowsAsync(restoreParty(join(work, 'empty'), archive, sound))
})

test('what does not pass its verification is not restored', async (t) => {
  const { work, dir, archive } = await partyFolder(t)
  await backUpParty(dir, { ...archive, cost })
  const refuse = async (folder: string) => {
    t.truthy(await stat(ledgerFileIn(folder)))
    throw new Error('a share does not open')
  }
  await t.throwsAsync(restoreParty(join(work, 'restored'), archive, refuse), { message: 'a share does not open' })
  t.deepEqual((await readdir(work)).toSorted(), ['backup', 'party-1'])
})

test('no path of an archive leads out of the folder', async (t) => {
  const { work, archive, dir } = await partyFolder(t)
  const { newKey } = await import('../keystore/passphrase-key.ts')
  await appendFile(join(work, 'evil'), 'evil')
  for (const [index, path] of ['../evil', '/tmp/evil', 'shares/../../evil', '..', 'shares//evil', 'a\\b', ''].entries()) {
    const { header, key } = await newKey(passphrase, cost)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(header.length)
    const parts = [Buffer.from('quorate party backup 1\n'), length, header]
    for await (const chunk of sealStream(key, header, packFiles([{ path, file: join(work, 'evil') }]))) parts.push(chunk)
    const file = `${archive.file}-${index}`
    await writeFile(file, Buffer.concat(parts))
    await t.throwsAsync(restoreParty(join(work, 'restored'), { file, passphrase }, sound), { code: 'archive_damaged' }, path)
  }
  t.truthy(dir)
})

test('a sealed stream that ends after a whole chunk is found to be cut off', async (t) => {
  const key = randomBytes(32)
  const chunks: Buffer[] = []
  for await (const chunk of sealStream(key, Buffer.of(1), [randomBytes(3 * CHUNK)])) chunks.push(chunk)
  const open = async (sealed: readonly Buffer[]) => {
    for await (const chunk of openStream(key, Buffer.of(1), sealed)) t.is(chunk.length, CHUNK)
  }
  await t.notThrowsAsync(open(chunks))
  for (const length of [0, 1, 2])
    await t.throwsAsync(open(chunks.slice(0, length)), { instanceOf: BackupRefused, code: 'archive_damaged' }, `${length} chunks`)
})

test('a sealed stream of any length opens again', async (t) => {
  const key = randomBytes(32)
  for (const length of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7]) {
    const plaintext = randomBytes(length)
    const pieces = [plaintext.subarray(0, length >> 1), plaintext.subarray(length >> 1)]
    const opened: Buffer[] = []
    for await (const chunk of openStream(key, Buffer.of(1), sealStream(key, Buffer.of(1), pieces))) opened.push(chunk)
    t.true(plaintext.equals(Buffer.concat(opened)), `${length} bytes`)
  }
})

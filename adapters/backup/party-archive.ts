import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { link, mkdir, mkdtemp, open, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { ScryptCost } from '../keystore/header.ts'
import { newKey, STRONG, unlock } from '../keystore/passphrase-key.ts'
import { fenceCopy } from '../ledger/fence.ts'
import { copyLedger, LEDGER_FILE, ledgerFileIn } from '../ledger/ledger-file.ts'
import { packFiles, type Source, unpackFiles } from './file-stream.ts'
import { BackupRefused } from './refused.ts'
import { openStream, sealStream } from './sealed-stream.ts'

export type Archive = { file: string; passphrase: Uint8Array | string }

const MAGIC = Buffer.from('quorate party backup 1\n')
const MAX_HEADER_BYTES = 4_096
/** The ledger is copied by SQLite, whose locks would be lost if this process had it open and read it; what ends in a random id was being written. */
const LEFT_OUT = [/^ledger\.db(-wal|-shm)?$/, /\.draft$/, /\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/]

/**
 * Writes all that a party keeps in its folder into one file, sealed with AES-256-GCM under a key that scrypt derives from a passphrase: magic, header as of a
 * keystore (its length in 4 bytes before it), sealed chunks. The party may run: files are replaced whole, and the ledger is copied as of one moment, after all others. A
 * key in an HSM is not in the folder. Returns the paths.
 * @throws BackupRefused `archive_exists`
 */
export async function backUpParty(dir: string, { file, passphrase, cost = STRONG }: Archive & { cost?: ScryptCost }): Promise<string[]> {
  const work = await mkdtemp(`${file}.`)
  try {
    const sources = await filesOf(dir)
    const draft = join(work, 'archive')
    const handle = await open(draft, 'wx', 0o600)
    try {
      const { header, key } = await newKey(passphrase, cost)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(header.length)
      await handle.writeFile(Buffer.concat([MAGIC, length, header]))
      for await (const chunk of sealStream(key, header, packed(dir, sources, work))) await handle.writeFile(chunk)
      key.fill(0)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? new BackupRefused('archive_exists', `${file} exists already`) : error
    })
    await syncFolder(dirname(file))
    return [...sources.map(({ path }) => path), LEDGER_FILE]
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function* packed(dir: string, sources: readonly Source[], work: string): AsyncGenerator<Buffer> {
  yield* packFiles(sources)
  const copy = join(work, LEDGER_FILE)
  copyLedger(ledgerFileIn(dir), copy)
  yield* packFiles([{ path: LEDGER_FILE, file: copy }])
}

/**
 * Restores a party's folder, which must be empty or missing: all of it, once `verify` finds nothing wrong with it, or nothing. The party is fenced:
 * the archive does not tell what it has signed since, and others may not either. Returns the paths.
 * @throws BackupRefused `folder_in_use`, `archive_damaged`; KeystoreRefused `passphrase_wrong`; what `verify` throws
 */
export async function restoreParty(dir: string, archive: Archive, verify: (restored: string) => Promise<void>): Promise<string[]> {
  if ((await namesIn(dir)).length > 0) throw new BackupRefused('folder_in_use', `${dir} is not empty: nothing is restored over it`)
  await mkdir(dirname(dir), { recursive: true, mode: 0o700 })
  const draft = await mkdtemp(`${dir}.restoring-`)
  try {
    const paths = await extract(archive, draft)
    await verify(draft)
    fenceCopy(ledgerFileIn(draft))
    await rmdir(dir).catch(ignoreMissing)
    await rename(draft, dir)
    await syncFolder(dirname(dir))
    return paths
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}

async function extract({ file, passphrase }: Archive, folder: string): Promise<string[]> {
  const stream = createReadStream(file)
  await once(stream, 'readable')
  const read = (length: number) => (stream.read(length) as Buffer | null) ?? Buffer.alloc(0)
  if (!read(MAGIC.length).equals(MAGIC)) throw new BackupRefused('archive_damaged', `${file} is no backup of a party`)
  const length = read(4)
  const header = length.length === 4 ? read(Math.min(length.readUInt32BE(), MAX_HEADER_BYTES)) : length
  const key = await unlock(header, passphrase)
  try {
    const paths = await unpackFiles(openStream(key, header, stream), folder)
    for (const each of new Set(paths.map((path) => dirname(join(folder, path))))) await syncFolder(each)
    return paths
  } finally {
    key.fill(0)
    stream.destroy()
  }
}

async function filesOf(dir: string): Promise<Source[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !LEFT_OUT.some((pattern) => pattern.test(entry.name)))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => ({ file, path: relative(dir, file).replaceAll('\\', '/') }))
}

async function namesIn(dir: string): Promise<string[]> {
  return (await readdir(dir).catch(ignoreMissing)) ?? []
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

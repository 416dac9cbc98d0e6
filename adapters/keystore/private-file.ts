import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The bytes of a file; undefined when there is none. */
export async function readIfPresent(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Creates a file that only its owner may read, whole or not at all and durably. Whoever is first wins: returns the bytes that are in
 * the file, which are another's when it was there already.
 */
export async function createPrivateFile(file: string, bytes: Buffer): Promise<Buffer> {
  const folder = dirname(file)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomUUID()}`
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
    // Unlike a rename, a link fails when the name is taken.
    await link(draft, file)
    await syncFolder(folder)
    return bytes
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    // Whoever was first may not have come to this yet, and what is done with the bytes here must not outlive them.
    await syncFolder(folder)
    return await readFile(file)
  } finally {
    await handle.close()
    await unlink(draft)
  }
}

/** Replaces a file by one that only its owner may read, whole or not at all and durably. */
export async function replacePrivateFile(file: string, bytes: Buffer): Promise<void> {
  const draft = `${file}.${randomUUID()}`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } catch (error) {
    await unlink(draft).catch(() => {})
    throw error
  }
  await syncFolder(dirname(file))
}

/** Whether others than its owner may do anything with the file. */
export async function isExposed(file: string): Promise<boolean> {
  // Windows has no such modes.
  return process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0
}

/** Makes what was created, renamed or removed in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

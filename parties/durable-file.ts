import { randomUUID } from 'node:crypto'
import { open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

const DRAFT = '.draft'

/** Whether a file is what a writer that died has left behind. */
export const isDraft = (file: string): boolean => file.endsWith(DRAFT)

/** Writes a file that only its owner may read, whole or not at all; once this resolves it survives a power failure. The folder must exist. */
export async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  const draft = `${file}.${randomUUID()}${DRAFT}`
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

/** Makes what was created in, renamed into or removed from the folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

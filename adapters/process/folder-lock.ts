import { join } from 'node:path'
import Database from 'libsql'

/** Another process works in the folder. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse'
}

/**
 * Takes the folder for this process alone. The lock is the operating system's, on a database file: it goes with the process, however that ends.
 * @throws FolderInUse
 */
export function lockFolder(dir: string): { release(): void } {
  const database = new Database(join(dir, 'lock'), { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) throw new FolderInUse(`another Quorate is at work in ${dir}`)
    throw error
  }
  return {
    release() {
      database.exec('ROLLBACK')
      database.close()
    },
  }
}

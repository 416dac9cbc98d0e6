import Database from 'libsql'

export type { Database }

/** The last record of a commit holds the commit's digest. */
const SCHEMA = `
  create table if not exists streams (id integer primary key, name text not null unique);
  create table if not exists records (
    position integer primary key, stream integer not null, revision integer not null,
    count integer not null, created integer not null, payload blob not null, digest blob);
  create unique index if not exists records_by_stream on records (stream, revision);
  create table if not exists persistent_groups (
    source text not null, name text not null, config text not null, primary key (source, name));
`

/**
 * Opens the store at `file`, or one in memory for `:memory:`. A commit has been fsynced when it returns, and the file belongs to this
 * process alone until `closeDatabase`.
 */
export function openDatabase(file: string): Database.Database {
  const database = new Database(file)
  try {
    // Before the first access, so that the write-ahead log needs no shared memory and a second process is refused.
    database.pragma('locking_mode = EXCLUSIVE')
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    database.pragma('wal_autocheckpoint = 4000')
    database.pragma('cache_size = -32768')
    database.exec(SCHEMA)
  } catch (error) {
    database.close()
    throw (error as { code?: string }).code === 'SQLITE_BUSY' ? new Error(`${file} is in use by another server`) : error
  }
  return database
}

/** The driver keeps the file open, and locked, until its statements are collected; so the lock is given back first. */
export function closeDatabase(database: Database.Database): void {
  database.pragma('journal_mode = DELETE')
  database.pragma('locking_mode = NORMAL')
  database.prepare('select count(*) from streams').get([])
  database.close()
}

import { closeSync, fsyncSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'libsql'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { LedgerCorrupt } from './corrupt.ts'
import { chainHash, decodeEntry, type Entry, encodeEntry, GENESIS } from './entry.ts'

/**
 * Entries `first` to `sequence`: one, or what is left of several, of which only the last hash is kept (`content` is null), or the numbers that were
 * passed over when a fence was lifted.
 */
export type Row = { first: number; sequence: number; hash: Uint8Array; content: Uint8Array | null }

export type Place = { sequence: number; hash: Uint8Array }

export type Movement = { at: number; asset: string; amount: string; usd_cents: string | null }
export type TransactionRow = { [Column in keyof Movement]: Movement[Column] | null } & {
  sequence: number
  at: number
  transfer_id: string
  digest: Uint8Array
  wallet_id: string
}

/** An open ledger file. Nothing is decided here. */
export type LedgerFile = ReturnType<typeof openLedgerFile>

/** Where a party keeps its ledger. */
export const ledgerFileIn = (dir: string): string => join(dir, LEDGER_FILE)
export const LEDGER_FILE = 'ledger.db'

const VERSION = 2
/** For another process at work on the file, which is never long. */
const BUSY_MS = 5_000

const TABLES = `
  CREATE TABLE entries (sequence INTEGER PRIMARY KEY, first INTEGER NOT NULL, hash BLOB NOT NULL, content BLOB);
  CREATE TABLE attempts (key_id TEXT, session_id TEXT, attempt INTEGER, sequence INTEGER NOT NULL,
    PRIMARY KEY (key_id, session_id, attempt)) WITHOUT ROWID;
  CREATE TABLE slots (key_id TEXT, slot TEXT, digest BLOB NOT NULL, PRIMARY KEY (key_id, slot)) WITHOUT ROWID;
  CREATE TABLE intents (intent TEXT PRIMARY KEY, operation TEXT NOT NULL, sequence INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE witnessed (party_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, hash BLOB NOT NULL, signature BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE lifts (sequence INTEGER PRIMARY KEY);
  CREATE TABLE fence (id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL, hash BLOB NOT NULL);
`
const SINCE_VERSION_2 = `
  CREATE TABLE transactions (sequence INTEGER PRIMARY KEY, transfer_id TEXT NOT NULL, digest BLOB NOT NULL, wallet_id TEXT NOT NULL,
    at INTEGER NOT NULL, asset TEXT, amount TEXT, usd_cents TEXT);
  CREATE INDEX transactions_of_transfer ON transactions (transfer_id);
  CREATE INDEX transactions_of_wallet ON transactions (wallet_id, at);
  PRAGMA user_version = ${VERSION};
`

/**
 * Opens a ledger file, made when missing. Commits are in the write-ahead log and synced before they return; of the modes that survive a power failure this is the one with
 * a single sync.
 * @throws LedgerCorrupt, Unavailable
 */
export function openLedgerFile(file: string) {
  createPrivately(file)
  const database = coded(() => {
    const opened = new Database(file, { timeout: BUSY_MS })
    opened.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON')
    return opened
  })
  const transaction = <Result>(work: () => Result): Result =>
    coded(() => {
      database.exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        database.exec('COMMIT')
        return result
      } catch (error) {
        if (database.inTransaction) database.exec('ROLLBACK')
        throw error
      }
    })
  transaction(() => {
    const { user_version: version } = database.prepare('PRAGMA user_version').get([]) as { user_version: number }
    if (version > VERSION) throw new LedgerCorrupt(`${file} is not a ledger of version ${VERSION}, or of one before`)
    if (version < 1) database.exec(TABLES)
    if (version < 2) database.exec(SINCE_VERSION_2)
  })
  syncFolder(dirname(file))

  const read = <Columns extends object>(sql: string) => {
    const statement = database.prepare(sql)
    return {
      one: (...values: readonly unknown[]) => coded(() => statement.get([...values]) as Columns | undefined),
      all: (...values: readonly unknown[]) => coded(() => statement.all([...values]) as Columns[]),
    }
  }
  const write = (sql: string) => {
    const statement = database.prepare(sql)
    return (...values: readonly unknown[]): void => {
      coded(() => statement.run([...values]))
    }
  }
  const rows = {
    last: read<Row>('SELECT * FROM entries ORDER BY sequence DESC LIMIT 1'),
    covering: read<Row>('SELECT * FROM entries WHERE sequence >= ? ORDER BY sequence LIMIT 1'),
    after: read<Row>('SELECT * FROM entries WHERE sequence > ? ORDER BY sequence LIMIT ?'),
    attempt: read<{ sequence: number }>('SELECT sequence FROM attempts WHERE key_id = ? AND session_id = ? AND attempt = ?'),
    session: read<{ sequence: number }>('SELECT sequence FROM attempts WHERE key_id = ? AND session_id = ? LIMIT 1'),
    slot: read<{ digest: Uint8Array }>('SELECT digest FROM slots WHERE key_id = ? AND slot = ?'),
    transaction: read<TransactionRow>('SELECT * FROM transactions WHERE sequence = ?'),
    firstOfEach: read<{ sequence: number }>(
      'SELECT min(sequence) AS sequence FROM transactions WHERE transfer_id = ? GROUP BY digest ORDER BY 1',
    ),
    firstMove: read<{ sequence: number; at: number }>(
      'SELECT sequence, at FROM transactions WHERE transfer_id = ? AND asset IS NOT NULL ORDER BY sequence LIMIT 1',
    ),
    moved: read<Movement>(
      `SELECT at, asset, amount, usd_cents FROM transactions
        WHERE wallet_id = ? AND at > ? AND sequence < ? AND transfer_id <> ? AND asset IS NOT NULL ORDER BY sequence DESC LIMIT ?`,
    ),
    intent: read<{ operation: string }>('SELECT operation FROM intents WHERE intent = ?'),
    witnessed: read<Place & { signature: Uint8Array }>('SELECT sequence, hash, signature FROM witnessed WHERE party_id = ?'),
    lift: read<{ sequence: number | null }>('SELECT max(sequence) AS sequence FROM lifts'),
    fence: read<Place>('SELECT sequence, hash FROM fence'),
  }
  const insertEntry = write('INSERT INTO entries (sequence, first, hash, content) VALUES (?, ?, ?, ?)')

  const head = (): Place => {
    const row = rows.last.one()
    return row ? { sequence: row.sequence, hash: plain(row.hash) } : { sequence: 0, hash: GENESIS }
  }

  return {
    transaction,
    head,
    /** Adds an entry, which passes over the numbers up to `sequence` when that is given. Within a transaction. */
    append(entry: Entry, sequence?: number): Place {
      const previous = head()
      const first = previous.sequence + 1
      const content = encodeEntry(entry)
      const place = { sequence: sequence ?? first, hash: chainHash(previous.hash, first, sequence ?? first, content) }
      insertEntry(place.sequence, first, place.hash, content)
      return place
    },
    /** Rows in order, with plain bytes. */
    after: (sequence: number, limit: number): Row[] => rows.after.all(sequence, limit).map(plainRow),
    covering: (sequence: number): Row | undefined => {
      const row = rows.covering.one(sequence)
      return row && plainRow(row)
    },
    attempt: rows.attempt.one,
    session: rows.session.one,
    slot: rows.slot.one,
    intent: rows.intent.one,
    transactionAt: rows.transaction.one,
    /** Where each of a transfer's transactions was signed first, in that order. */
    transactionsOf: (transferId: string): number[] => rows.firstOfEach.all(transferId).map(({ sequence }) => sequence),
    /** Where a transaction of the transfer that moves something was signed first, and when. */
    firstMove: rows.firstMove.one,
    /** What other transfers of the wallet have moved since then, in entries before this one; the latest, and so many of them at most. */
    movedBefore: rows.moved.all,
    witnessed: rows.witnessed.one,
    fence: rows.fence.one,
    /** The entry that lifted a fence last; 0 when none did. */
    lastLift: (): number => rows.lift.one()?.sequence ?? 0,
    /** What was recorded. @throws LedgerCorrupt when an index points to nothing */
    entryAt(sequence: number): Entry {
      const row = rows.covering.one(sequence)
      if (row?.sequence !== sequence || !row.content) throw new LedgerCorrupt(`entry ${sequence} of the ledger is missing`)
      return decodeEntry(plain(row.content))
    },
    insertAttempt: write('INSERT INTO attempts (key_id, session_id, attempt, sequence) VALUES (?, ?, ?, ?)'),
    insertSlot: write('INSERT INTO slots (key_id, slot, digest) VALUES (?, ?, ?)'),
    insertTransaction: write(
      'INSERT INTO transactions (sequence, transfer_id, digest, wallet_id, at, asset, amount, usd_cents) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    deleteTransaction: write('DELETE FROM transactions WHERE sequence = ?'),
    /** The operation stays; the entry that used the intent last is what keeps it. */
    putIntent: write(
      'INSERT INTO intents (intent, operation, sequence) VALUES (?, ?, ?) ON CONFLICT (intent) DO UPDATE SET sequence = excluded.sequence',
    ),
    putWitnessed: write('INSERT OR REPLACE INTO witnessed (party_id, sequence, hash, signature) VALUES (?, ?, ?, ?)'),
    putFence: write('INSERT OR REPLACE INTO fence (id, sequence, hash) VALUES (1, ?, ?)'),
    insertLift: write('INSERT INTO lifts (sequence) VALUES (?)'),
    deleteFence: write('DELETE FROM fence'),
    deleteEntry: write('DELETE FROM entries WHERE sequence = ?'),
    emptyEntry: write('UPDATE entries SET first = ?, content = NULL WHERE sequence = ?'),
    deleteAttempt: write('DELETE FROM attempts WHERE key_id = ? AND session_id = ? AND attempt = ?'),
    deleteIntent: write('DELETE FROM intents WHERE intent = ? AND sequence = ?'),
    /** The file alone is whole then, without its write-ahead log, unless another connection is at work. */
    close(): void {
      try {
        database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      } finally {
        database.close()
      }
    },
  }
}

/** Writes a ledger as it is at one moment to a file that must not exist, whoever is at work on it. @throws LedgerCorrupt, Unavailable */
export function copyLedger(file: string, copy: string): void {
  coded(() => {
    const database = new Database(file, { timeout: BUSY_MS })
    try {
      database.prepare('VACUUM INTO ?').run([copy])
    } finally {
      database.close()
    }
  })
}

/** What SQLite says about the disk is either damage, or may pass. */
function coded<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string }
    if (code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB'))
      throw new LedgerCorrupt(`the file of the ledger is damaged: ${message}`, { cause: error })
    if (code.startsWith('SQLITE_')) throw new Unavailable('ledger', { cause: error })
    throw error
  }
}

/** The driver gives a Buffer or an ArrayBuffer, as it happens. */
const plain = (bytes: Uint8Array | ArrayBuffer): Uint8Array => new Uint8Array(bytes as Uint8Array)

const plainRow = ({ content, ...row }: Row): Row => ({ ...row, hash: plain(row.hash), content: content && plain(content) })

/**
 * What SQLite puts beside the file takes its mode. One that exists is not touched: to close a file that this process has open already would give up
 * the locks that SQLite holds on it (fcntl(2)).
 */
function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  fsyncSync(handle)
  closeSync(handle)
}

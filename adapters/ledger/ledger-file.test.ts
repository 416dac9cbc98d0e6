import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import Database from 'libsql'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { newClaim, newTransfer } from '../../test/contract/signing-ledger.ts'
import { until } from '../../test/crash/condition.ts'
import { LedgerCorrupt } from './corrupt.ts'
import { readFence } from './fence.ts'
import { copyLedger, openLedgerFile } from './ledger-file.ts'
import { openSigningLedger } from './signing-ledger.ts'
import { verifyLedger } from './verification.ts'
import { openWitnessStore } from './witness-store.ts'

const DAY_MS = 24 * 60 * 60 * 1000

async function newFile(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'quorate-ledger-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return join(dir, 'ledger.db')
}

/** A closed ledger of this many signatures, each with a slot and an intent. */
async function ledgerOf(t: ExecutionContext, claims: number): Promise<string> {
  const file = await newFile(t)
  const ledger = openSigningLedger({ file })
  await Promise.all(
    Array.from({ length: claims }, (_, n) =>
      ledger.claim(newClaim({ sessionId: `session-${n}`, slots: [`slot ${n}`], intents: [`intent-${n}`] })),
    ),
  )
  await ledger.close()
  return file
}

function change(file: string, sql: string): void {
  const database = new Database(file)
  database.exec(sql)
  database.close()
}

test('the file is for its owner only, and so is what SQLite puts beside it', async (t) => {
  const file = await newFile(t)
  const ledger = openSigningLedger({ file })
  await ledger.claim(newClaim())
  for (const each of [file, `${file}-wal`, `${file}-shm`]) t.is((await stat(each)).mode & 0o777, 0o600)
  await ledger.close()
})

test('a second connection of this process does not take the locks from the first', async (t) => {
  const file = await newFile(t)
  const ledger = openSigningLedger({ file })
  const store = openWitnessStore({ file })
  await ledger.claim(newClaim())
  readFence(file)
  const other = `import(${JSON.stringify(new URL('./ledger-file.js', import.meta.url))}).then(({ openLedgerFile }) => openLedgerFile(${JSON.stringify(file)}).close())`
  execFileSync(process.execPath, ['-e', other])
  t.true(existsSync(`${file}-wal`), 'the other process was not the last to use the log, and must not have removed it')
  await ledger.claim(newClaim())
  store.close()
  await ledger.close()
})

test('whatever is changed in the ledger behind its back is found, and where', async (t) => {
  const whole = await ledgerOf(t, 20)
  const damages: { [sql: string]: RegExp } = {
    'UPDATE entries SET content = (SELECT content FROM entries WHERE sequence = 3) WHERE sequence = 7': /entry 7 .*not what was recorded/,
    'UPDATE entries SET hash = zeroblob(32) WHERE sequence = 7': /entry 7 .*not what was recorded/,
    'UPDATE entries SET content = NULL, hash = zeroblob(32) WHERE sequence = 7': /entry 8 .*not what was recorded/,
    'DELETE FROM entries WHERE sequence = 7': /entry 7 .*missing/,
    'DELETE FROM entries WHERE sequence = 1': /entry 1 .*missing/,
    'UPDATE entries SET first = 6 WHERE sequence = 7': /entry 7 .*missing/,
    "DELETE FROM attempts WHERE session_id = 'session-6'": /the session of entry 7/,
    "UPDATE attempts SET sequence = 3 WHERE session_id = 'session-6'": /the session of entry 7/,
    "DELETE FROM slots WHERE slot = 'slot 6'": /a slot of entry 7/,
    "UPDATE slots SET digest = zeroblob(32) WHERE slot = 'slot 6'": /a slot of entry 7/,
    "DELETE FROM intents WHERE intent = 'intent-6'": /an intent of entry 7/,
    "UPDATE intents SET operation = 'operation other' WHERE intent = 'intent-6'": /an intent of entry 7/,
  }
  for (const [sql, where] of Object.entries(damages)) {
    const file = await newFile(t)
    await copyFile(whole, file)
    change(file, sql)
    const error = t.throws(() => openSigningLedger({ file }), { instanceOf: LedgerCorrupt, message: where }, sql)
    t.is(error?.code, 'ledger_corrupt')
  }
  const ledger = openSigningLedger({ file: whole })
  t.is(ledger.head().sequence, 20n)
  await ledger.close()
})

test('so is whatever is changed of transfers', async (t) => {
  const whole = await newFile(t)
  const signed = openSigningLedger({ file: whole })
  const transfer = { transferId: 'transfer', lifetimeMs: 1_000 }
  await signed.claim(newTransfer(transfer, { slots: ['nonce'], intents: ['intent'] }))
  await signed.close()
  for (const sql of [
    'DELETE FROM transactions',
    "UPDATE transactions SET transfer_id = 'another'",
    "UPDATE transactions SET wallet_id = 'another'",
    'UPDATE transactions SET digest = zeroblob(32)',
    'UPDATE transactions SET at = at + 1',
    "UPDATE transactions SET asset = 'another'",
    "UPDATE transactions SET amount = '999'",
    'UPDATE transactions SET amount = NULL, asset = NULL',
    "UPDATE transactions SET usd_cents = '4'",
  ]) {
    const file = await newFile(t)
    await copyFile(whole, file)
    change(file, sql)
    t.throws(() => openSigningLedger({ file }), { instanceOf: LedgerCorrupt, message: /the transaction of entry 1/ }, sql)
  }
  const file = await newFile(t)
  await copyFile(whole, file)
  change(file, 'UPDATE slots SET digest = zeroblob(32)')
  t.throws(() => openSigningLedger({ file }), { instanceOf: LedgerCorrupt, message: /a slot of entry 1/ })
})

test('a ledger from before there were transactions is opened, and keeps what it has', async (t) => {
  const file = await newFile(t)
  change(file, await readFile(join(import.meta.dirname, '../../../adapters/ledger/examples/version-1.sql'), 'utf8'))
  for (let time = 0; time < 2; time++) {
    const ledger = openSigningLedger({ file, retentionDays: 10_000 })
    t.true(ledger.head().sequence >= 3n)
    t.deepEqual(Buffer.from(ledger.answered('key-1', 'session-1', 1)!.answer), Buffer.alloc(64, 3))
    await t.throwsAsync(ledger.claim(newTransfer({}, { keyId: 'key-1', slots: ['nonce:7'] })), { code: 'slot_taken' })
    for (const intent of ['client/jti-1', 'client/jti-2', 'client/jti-3'])
      await t.throwsAsync(ledger.claim(newTransfer({}, { intents: [intent] })), { code: 'intent_reused' })
    await ledger.claim(newTransfer({ transferId: 'transfer', digest: new Uint8Array(32) }, { keyId: 'key-1', slots: ['nonce:8'] }))
    await t.throwsAsync(ledger.claim(newTransfer({ transferId: 'transfer' })), { code: 'slot_taken' })
    await ledger.close()
  }
  const opened = openLedgerFile(file)
  t.is(verifyLedger(opened).sequence, 5)
  opened.close()
})

test('what a transfer has used is not forgotten, as little as the transfer, however many sessions there were', async (t) => {
  const file = await newFile(t)
  let now = 0
  const open = () => openSigningLedger({ file, now: () => now, retentionDays: 90 })
  const entries = () => (openRows(file)[0] as { n: number }).n
  let ledger = open()
  const claim = newTransfer({}, { slots: ['input 1', 'input 2'], intents: ['intent'] })
  for (let n = 0; n < 10; n++) await ledger.claim({ ...claim, sessionId: `session-${n}`, intents: ['intent', 'approval'].slice(0, n + 1) })
  const shortLived = newTransfer({ lifetimeMs: 60_000 }, { intents: ['short'] })
  await ledger.claim(shortLived)
  await ledger.close()
  now = 91 * DAY_MS
  ledger = open()
  await ledger.claim(newClaim())
  await until(
    () => entries() === 3,
    () => `there are ${entries()} rows`,
    10_000,
  )
  await ledger.close()
  ledger = open()
  t.teardown(() => ledger.close())
  const another = { ...claim, sessionId: 'another', transaction: { ...claim.transaction, digest: randomBytes(32) } }
  await t.throwsAsync(ledger.claim({ ...another, slots: ['input 3'] }), { code: 'slot_taken' })
  await t.throwsAsync(ledger.claim(newTransfer({}, { slots: ['input 2'] })), { code: 'slot_taken' })
  await t.throwsAsync(ledger.claim(newTransfer({}, { intents: ['intent'] })), { code: 'intent_reused' })
  await t.notThrowsAsync(
    ledger.claim(newTransfer({ transferId: shortLived.transaction.transferId })),
    'what is forgotten leaves nothing behind',
  )
  const opened = openLedgerFile(file)
  t.notThrows(() => verifyLedger(opened))
  opened.close()
})

test('a file that is no database, or another one, is refused', async (t) => {
  const file = await newFile(t)
  await writeFile(file, randomBytes(8_192))
  t.throws(() => openSigningLedger({ file }), { instanceOf: LedgerCorrupt })
  const other = await newFile(t)
  change(other, 'CREATE TABLE something (id INTEGER); PRAGMA user_version = 7')
  t.throws(() => openSigningLedger({ file: other }), { instanceOf: LedgerCorrupt, message: /version 2/ })
})

test('damaged pages end in a refusal, never in another answer', async (t) => {
  const whole = await ledgerOf(t, 200)
  const bytes = await readFile(whole)
  for (let trial = 0; trial < 30; trial++) {
    const file = await newFile(t)
    await copyFile(whole, file)
    const handle = await open(file, 'r+')
    await handle.write(randomBytes(64), 0, 64, Math.floor(Math.random() * (bytes.length - 64)))
    await handle.close()
    try {
      const opened = openLedgerFile(file)
      const { sequence } = verifyLedger(opened)
      opened.close()
      t.is(sequence, 200, 'what verifies is whole')
    } catch (error) {
      t.true(error instanceof LedgerCorrupt || error instanceof Unavailable, String(error))
    }
  }
})

test('damage far behind the end is found while the ledger is at work, which then refuses everything', async (t) => {
  const file = await ledgerOf(t, 2_300)
  change(file, 'UPDATE entries SET hash = zeroblob(32) WHERE sequence = 150')
  let found: LedgerCorrupt | undefined
  const ledger = openSigningLedger({ file, onCorrupt: (error) => (found = error) })
  t.teardown(() => ledger.close())
  await t.notThrowsAsync(ledger.claim(newClaim()), 'it is not known yet')
  await until(
    () => found !== undefined,
    () => 'nothing was found',
    10_000,
  )
  t.regex(found!.message, /entry 150/)
  await t.throwsAsync(ledger.claim(newClaim()), { instanceOf: LedgerCorrupt })
  await t.throwsAsync(ledger.spend(['intent'], 'something'), { instanceOf: LedgerCorrupt })
  t.throws(() => ledger.head(), { instanceOf: LedgerCorrupt })
  t.throws(() => ledger.answered('key-1', 'session-1', 1), { instanceOf: LedgerCorrupt })
})

test('old entries that spend nothing are dropped, and the rest can still be verified', async (t) => {
  const file = await newFile(t)
  let now = 0
  const open = () => openSigningLedger({ file, now: () => now, retentionDays: 90 })
  const entries = () => (openRows(file)[0] as { n: number }).n
  let ledger = open()
  const messages = Array.from({ length: 250 }, (_, n) => newClaim({ sessionId: `message-${n}`, intents: [`intent-${n}`] }))
  await Promise.all(messages.map((claim) => ledger.claim(claim)))
  const transfer = newClaim({ slots: ['nonce 7'], intents: ['intent-of-transfer'] })
  await ledger.claim(transfer)
  await ledger.spend(['intent-of-key'], 'generate key-1')
  await ledger.close()
  now = 91 * DAY_MS
  ledger = open()
  const recent = newClaim({ intents: ['intent-of-recent'] })
  await ledger.claim(recent)
  const head = ledger.head()
  await until(
    () => entries() === 4,
    () => `there are ${entries()} rows`,
    10_000,
  )
  await ledger.close()

  ledger = open()
  t.teardown(() => ledger.close())
  t.deepEqual(ledger.head(), head)
  t.is(ledger.answered('key-1', 'message-3', 1), undefined)
  t.truthy(ledger.answered(transfer.keyId, transfer.sessionId, 1))
  t.truthy(ledger.answered(recent.keyId, recent.sessionId, 1))
  await t.throwsAsync(ledger.claim(newClaim({ slots: ['nonce 7'] })), { code: 'slot_taken' })
  await t.throwsAsync(ledger.claim(newClaim({ intents: ['intent-of-recent'] })), { code: 'intent_reused' })
  await t.throwsAsync(ledger.claim(newClaim({ intents: ['intent-of-transfer'] })), { code: 'intent_reused' })
  const opened = openLedgerFile(file)
  t.is(verifyLedger(opened).sequence, Number(head.sequence))
  opened.close()

  const store = openWitnessStore({ file })
  t.teardown(store.close)
  store.confront({ sequence: 100n, hash: new Uint8Array(32) })
  t.is(store.fence(), undefined, 'what was dropped is not held against it')
  store.confront({ ...head, hash: new Uint8Array(32) })
  t.is(store.fence()?.sequence, head.sequence)

  for (const sql of ['DELETE FROM entries WHERE sequence = 251', 'DELETE FROM entries WHERE sequence = 250']) {
    const copy = `${file}.${sql.slice(-3)}`
    copyLedger(file, copy)
    change(copy, sql)
    t.throws(() => openSigningLedger({ file: copy }), { instanceOf: LedgerCorrupt, message: /missing/ }, sql)
  }
})

const openRows = (file: string): unknown[] => {
  const database = new Database(file)
  try {
    return database.prepare('SELECT count(*) AS n FROM entries').all([])
  } finally {
    database.close()
  }
}

import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { UnsealFailed, type Vault } from '../../domain/ports/vault.ts'
import { openKeystore } from '../keystore/vault.ts'
import { openKeyFolder } from './key-folder.ts'
import { temporaryDataKeys, temporaryFolder } from './testing/temporary-keys.ts'

const TEXT = '"Ada Lovelace 🜁"'
const inWallet = (dir: string, walletId: string, ...rest: string[]) => join(dir, 'wallets', walletId, ...rest)

test('a text opens for the wallet and field that it was sealed for, in any process, and is sealed otherwise each time', async (t) => {
  const { dir, keys } = await temporaryDataKeys(t)
  const sealed = await keys.seal('w1', 'name', TEXT)
  t.regex(sealed.sealed, /^v1\.1-[\da-f]{8}\.[\w-]+$/)
  t.notDeepEqual(await keys.seal('w1', 'name', TEXT), sealed)
  t.is(await keys.open('w1', 'name', sealed), TEXT)
  const { keys: another } = await temporaryDataKeys(t, { dir })
  t.is(await another.open('w1', 'name', sealed), TEXT)
  t.is(await keys.open('w1', 'name', await another.seal('w1', 'name', '""')), '""')
})

test('a sealed text that was altered, or moved to another field, does not open, nor under the key of another wallet', async (t) => {
  const { keys } = await temporaryDataKeys(t)
  const { sealed } = await keys.seal('w1', 'name', TEXT)
  await keys.seal('w2', 'name', TEXT)
  await t.throwsAsync(keys.open('w1', 'memo', { sealed }), { instanceOf: UnsealFailed })
  t.is(await keys.open('w2', 'name', { sealed }), undefined)
  const at = sealed.length - 30
  const altered = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`
  await t.throwsAsync(keys.open('w1', 'name', { sealed: altered }), { instanceOf: UnsealFailed })
  for (const nothing of ['', 'v1', 'v1.1-00000000.', 'v2.1-00000000.AAAA', sealed.slice(0, 30), TEXT])
    await t.throwsAsync(keys.open('w1', 'name', { sealed: nothing }), { instanceOf: UnsealFailed }, nothing)
})

test('the key of a wallet does not open under the name of another, and no path leads out of the folder', async (t) => {
  const { dir, keys } = await temporaryDataKeys(t, { rememberMs: 0 })
  const sealed = await keys.seal('w1', 'name', TEXT)
  await cp(inWallet(dir, 'w1'), inWallet(dir, 'w2'), { recursive: true })
  await t.throwsAsync(keys.open('w2', 'name', sealed), { instanceOf: UnsealFailed })
  await t.throwsAsync(keys.seal('../w1', 'name', TEXT), { instanceOf: UnsealFailed })
})

test('a key that is damaged, or of another wallet, is not sealed under: another one takes its place', async (t) => {
  const { dir, keys } = await temporaryDataKeys(t, { rememberMs: 0 })
  for (const [walletId, damaged] of [
    ['w1', randomBytes(61)],
    ['w2', Buffer.alloc(61)],
    ['w3', Buffer.alloc(0)],
  ] as const) {
    const lost = await keys.seal(walletId, 'name', TEXT)
    writeFileSync(inWallet(dir, walletId, '1'), damaged)
    for (const text of ['"one"', '"two"']) t.is(await keys.open(walletId, 'name', await keys.seal(walletId, 'name', text)), text)
    t.deepEqual(readdirSync(inWallet(dir, walletId)), ['1', '2'])
    t.not(await keys.open(walletId, 'name', lost).catch(() => undefined), TEXT)
  }
})

test('an opened key is used for no longer than is stated, however long the vault took', async (t) => {
  const rememberMs = 50
  const { dir, keys } = await temporaryDataKeys(t)
  const sealed = await keys.seal('w1', 'name', TEXT)
  const vault = await openKeystore({ dir: join(dir, 'keystore'), passphrase: 'of a test' })
  const slow: Vault = {
    ...vault,
    async open(...args) {
      await keys.eraseBefore('w1', 2)
      await delay(2 * rememberMs)
      return vault.open(...args)
    },
  }
  const another = openKeyFolder({ dir, vault: slow, rememberMs })
  t.teardown(() => another.close())
  t.is(await another.open('w1', 'name', sealed), TEXT)
  t.is(await another.open('w1', 'name', sealed), undefined)
})

test('only their owner may read the keys, which are not there in the clear', async (t) => {
  const { dir, keys } = await temporaryDataKeys(t)
  await keys.seal('w1', 'name', TEXT)
  t.is(statSync(inWallet(dir, 'w1', '1')).mode & 0o777, 0o600)
  t.is(statSync(inWallet(dir, 'w1')).mode & 0o777, 0o700)
  t.is(readFileSync(inWallet(dir, 'w1', '1')).length, 1 + 12 + 32 + 16)
})

test('what was sealed before an erasure is gone, in every process within the stated time; what is sealed since opens', async (t) => {
  const rememberMs = 50
  const { dir, keys } = await temporaryDataKeys(t)
  const { keys: another } = await temporaryDataKeys(t, { dir, rememberMs })
  const before = await keys.seal('w1', 'name', TEXT)
  t.is(await another.open('w1', 'name', before), TEXT)

  const number = await keys.renew('w1')
  t.is(number, 2)
  t.is(await keys.open('w1', 'name', before), TEXT)
  const since = await another.seal('w1', 'name', '"since"')
  await keys.eraseBefore('w1', number)
  t.is(await keys.open('w1', 'name', before), undefined)
  const until = Date.now() + rememberMs
  for (let asked = Date.now(); (await another.open('w1', 'name', before)) !== undefined; asked = Date.now()) t.true(asked <= until)
  for (const each of [keys, another]) t.is(await each.open('w1', 'name', since), '"since"')
  t.deepEqual(readdirSync(inWallet(dir, 'w1')), ['2'])
})

test('an erasure that is repeated, late or of nothing destroys no newer key', async (t) => {
  const { dir, keys } = await temporaryDataKeys(t)
  await keys.eraseBefore('new', 1)
  await keys.seal('w1', 'name', TEXT)
  await keys.renew('w1')
  await keys.renew('w1')
  const sealed = await keys.seal('w1', 'name', TEXT)
  for (const number of [3, 2, 3, 1]) await keys.eraseBefore('w1', number)
  t.is(await keys.open('w1', 'name', sealed), TEXT)
  t.deepEqual(readdirSync(inWallet(dir, 'w1')), ['3'])
})

test('an erasure that a crash has left in its middle opens nothing, and is completed', async (t) => {
  const { dir, keys } = await temporaryDataKeys(t, { rememberMs: 0 })
  const sealed = await keys.seal('w1', 'name', TEXT)
  const number = await keys.renew('w1')
  writeFileSync(inWallet(dir, 'w1', '1'), Buffer.alloc(61))
  t.is(await keys.open('w1', 'name', sealed), undefined)
  await keys.eraseBefore('w1', number)
  t.deepEqual(readdirSync(inWallet(dir, 'w1')), ['2'])
})

test('after a backup from before an erasure was put back, erasing again erases, and numbers are not given out twice', async (t) => {
  const { dir, keys } = await temporaryDataKeys(t, { rememberMs: 0 })
  const sealed = await keys.seal('w1', 'name', TEXT)
  const backup = temporaryFolder(t)
  await cp(dir, backup, { recursive: true })
  const number = await keys.renew('w1')
  const since = await keys.seal('w1', 'name', '"since"')
  await keys.eraseBefore('w1', number)

  rmSync(inWallet(dir, 'w1'), { recursive: true })
  await cp(backup, dir, { recursive: true })
  t.is(await keys.open('w1', 'name', sealed), TEXT)
  await keys.eraseBefore('w1', number)
  t.is(await keys.open('w1', 'name', sealed), undefined)
  // The backup never had the key of what was sealed since: another one bears its number now.
  t.is(await keys.open('w1', 'name', since), undefined)
  const anew = await keys.seal('w1', 'name', TEXT)
  await keys.eraseBefore('w1', number)
  t.is(await keys.open('w1', 'name', anew), TEXT)
})

test('keys that are out of reach are not taken for erased, and none is made in their place', async (t) => {
  const { dir, keys } = await temporaryDataKeys(t, { rememberMs: 0 })
  const sealed = await keys.seal('w1', 'name', TEXT)
  await keys.ping()
  const [mounted, elsewhere] = [join(dir, 'wallets'), join(dir, 'elsewhere')]
  renameSync(mounted, elsewhere)
  for (const attempt of [
    () => keys.open('w1', 'name', sealed),
    () => keys.seal('w1', 'name', TEXT),
    () => keys.seal('w2', 'name', TEXT),
    () => keys.renew('w1'),
    () => keys.eraseBefore('w1', 2),
    () => keys.ping(),
  ])
    await t.throwsAsync(attempt, { instanceOf: Unavailable }, `${attempt}`)
  t.false(existsSync(mounted))
  renameSync(elsewhere, mounted)
  await keys.ping()
  t.is(await keys.open('w1', 'name', sealed), TEXT)
})

test('processes that seal for a wallet at the same time make one key', async (t) => {
  const { dir, keys } = await temporaryDataKeys(t)
  const { keys: another } = await temporaryDataKeys(t, { dir })
  const sealed = await Promise.all([keys, another, keys, another].map((each) => each.seal('w1', 'name', TEXT)))
  for (const each of sealed) t.is(await keys.open('w1', 'name', each), TEXT)
  t.deepEqual(readdirSync(inWallet(dir, 'w1')), ['1'])
})

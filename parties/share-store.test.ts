import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openKeystore } from '../adapters/keystore/vault.ts'
import type { Vault } from '../domain/ports/vault.ts'
import type { ShareRecord } from './share-record.ts'
import { openShareStore } from './share-store.ts'

const publicKey = new Uint8Array(32).fill(7)
const share = new Uint8Array(66).map((_, i) => i + 100)

let vault: Vault
let vaultDir: string

test.before(async () => {
  vaultDir = await mkdtemp(join(tmpdir(), 'quorate-vault-'))
  vault = await openKeystore({ dir: vaultDir, passphrase: 'for this test' })
})

test.after.always(() => rm(vaultDir, { recursive: true, force: true }))

function record(changes: Partial<ShareRecord> = {}): Omit<ShareRecord, 'partyId'> {
  return {
    keyId: 'key-1',
    attempt: 1,
    epoch: 1,
    scheme: 'frost-ed25519',
    threshold: 2,
    parties: ['party-1', 'party-2', 'party-3'],
    publicKey,
    publicPackage: Uint8Array.of(1, 2, 3),
    ...changes,
  }
}

async function open(t: ExecutionContext, dir?: string) {
  const at = dir ?? (await mkdtemp(join(tmpdir(), 'quorate-shares-')))
  if (!dir) t.teardown(() => rm(at, { recursive: true, force: true }))
  return { dir: at, store: await openShareStore({ dir: at, partyId: 'party-1', vault }) }
}

const reference = { keyId: 'key-1', epoch: 1, attempt: 1, publicKey }
const fileOf = (dir: string) => join(dir, 'shares', 'key-1', 'attempt-1.json')

test('a share that was kept is found after a restart, and opens', async (t) => {
  const { dir, store } = await open(t)
  await store.keep(record(), share)
  const again = (await open(t, dir)).store
  t.is(again.count, 1)
  const stored = await again.find(reference)
  t.deepEqual(stored.record, { ...record(), partyId: 'party-1' })
  t.deepEqual(await again.use(stored, (opened) => opened.slice()), share)
})

test('the share is wiped when its use ends', async (t) => {
  const { store } = await open(t)
  await store.keep(record(), share)
  const kept = await store.use(await store.find(reference), (opened) => opened)
  t.true(kept.every((byte) => byte === 0))
})

test('only the owner may read the file, and the share is not in it in any encoding', async (t) => {
  const { dir, store } = await open(t)
  await store.keep(record(), share)
  t.is((await stat(fileOf(dir))).mode & 0o777, 0o600)
  const text = await readFile(fileOf(dir))
  for (const encoding of ['hex', 'base64', 'base64url', 'latin1'] as const) {
    const encoded = Buffer.from(share).toString(encoding).replace(/=+$/, '')
    t.false(text.includes(Buffer.from(encoded, encoding === 'latin1' ? 'latin1' : 'utf8')))
  }
  t.deepEqual(await readdir(join(dir, 'shares', 'key-1')), ['attempt-1.json'])
})

test('a file whose public part was changed does not open', async (t) => {
  const { dir, store } = await open(t)
  await store.keep(record(), share)
  const file = JSON.parse(await readFile(fileOf(dir), 'utf8'))
  for (const change of [{ epoch: 2 }, { threshold: 1 }, { parties: ['party-1', 'party-3', 'party-2'] }, { scheme: 'frost-secp256k1-tr' }]) {
    await writeFile(fileOf(dir), JSON.stringify({ ...file, ...change }))
    const stored = await store.find(reference)
    await t.throwsAsync(
      store.use(stored, () => t.fail()),
      { message: /vault/ },
    )
    await t.throwsAsync(
      store.use(stored, () => {}),
      { code: 'share_unreadable' } as object,
    )
  }
})

test('a file in the place of another, or damaged, is refused', async (t) => {
  const { dir, store } = await open(t)
  await store.keep(record(), share)
  const file = JSON.parse(await readFile(fileOf(dir), 'utf8'))
  for (const change of [{ partyId: 'party-2' }, { keyId: 'key-2' }, { attempt: 2 }, { publicKey: '00'.repeat(32) }]) {
    await writeFile(fileOf(dir), JSON.stringify({ ...file, ...change }))
    await t.throwsAsync(store.find(reference), { code: 'share_mismatch' } as object)
  }
  for (const damaged of ['', '{', '[]', 'null', JSON.stringify({ ...file, version: 2 }), JSON.stringify({ ...file, sealed: 'zz' })]) {
    await writeFile(fileOf(dir), damaged)
    await t.throwsAsync(store.find(reference), { code: 'share_unreadable' } as object)
  }
})

test('what is asked for must be what is recorded', async (t) => {
  const { store } = await open(t)
  await store.keep(record(), share)
  await t.throwsAsync(store.find({ ...reference, publicKey: new Uint8Array(32) }), { code: 'share_mismatch' } as object)
  await t.throwsAsync(store.find({ ...reference, attempt: 2 }), { code: 'unknown_key' } as object)
  await t.throwsAsync(store.find({ ...reference, keyId: 'key-2' }), { code: 'unknown_key' } as object)
})

test('an attempt leaves one share, a key at most eight', async (t) => {
  const { store } = await open(t)
  for (let attempt = 1; attempt <= 8; attempt++) await store.keep(record({ attempt }), share)
  await t.throwsAsync(store.keep(record(), share), { code: 'share_exists' } as object)
  await t.throwsAsync(store.keep(record({ attempt: 9 }), share), { code: 'too_many_shares' } as object)
  t.is(store.count, 8)
})

test('a revoked key has no share left and is refused for ever after, also one the party did not hold', async (t) => {
  const { dir, store } = await open(t)
  await store.keep(record(), share)
  await store.keep(record({ attempt: 2 }), share)
  await store.revoke('key-1')
  await store.revoke('key-1')
  await store.revoke('key-2')
  t.deepEqual(await readdir(join(dir, 'shares', 'key-1')), ['revoked'])
  const again = (await open(t, dir)).store
  t.is(again.count, 0)
  await t.throwsAsync(again.find(reference), { code: 'key_revoked' } as object)
  await t.throwsAsync(again.keep(record({ attempt: 3 }), share), { code: 'key_revoked' } as object)
  await t.throwsAsync(again.assertRoom('key-2', 1), { code: 'key_revoked' } as object)
})

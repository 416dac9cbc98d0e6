import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openKeystore } from '../adapters/keystore/vault.ts'
import { encodePolicy, type KeyPolicy } from '../domain/authorisation/key-policy.ts'
import type { Vault } from '../domain/ports/vault.ts'
import type { ShareRecord } from './share-record.ts'
import { liftBan, openShareStore } from './share-store.ts'

const policy: KeyPolicy = { version: 1, walletId: 'w', clientKeys: [], rawDigests: false, approvals: null, presignatures: 10 }
const publicKey = new Uint8Array(32).fill(7)
const share = new Uint8Array(66).map((_, i) => i + 100)

let vault: Vault
let vaultDir: string

test.before(async () => {
  vaultDir = await mkdtemp(join(tmpdir(), 'quorate-vault-'))
  vault = await openKeystore({ dir: vaultDir, passphrase: 'for this test', cost: { N: 1024, r: 8, p: 1 } })
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
    policy: encodePolicy(policy),
    ...changes,
  }
}

async function open(t: ExecutionContext, dir?: string) {
  const at = dir ?? (await mkdtemp(join(tmpdir(), 'quorate-shares-')))
  if (!dir) t.teardown(() => rm(at, { recursive: true, force: true }))
  return { dir: at, store: await openShareStore({ dir: at, partyId: 'party-1', vault }) }
}

const reference = { keyId: 'key-1', epoch: 1, attempt: 1, publicKey }
const fileOf = (dir: string) => join(dir, 'shares', 'key-1', 'epoch-1-attempt-1.json')

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
  t.deepEqual(await readdir(join(dir, 'shares', 'key-1')), ['epoch-1-attempt-1.json'])
})

test('a file whose public part was changed does not open', async (t) => {
  const { dir, store } = await open(t)
  await store.keep(record(), share)
  const file = JSON.parse(await readFile(fileOf(dir), 'utf8'))
  for (const change of [{ threshold: 1 }, { parties: ['party-1', 'party-3', 'party-2'] }, { scheme: 'frost-secp256k1-tr' }]) {
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
  for (const change of [{ partyId: 'party-2' }, { keyId: 'key-2' }, { epoch: 2 }, { attempt: 2 }, { publicKey: '00'.repeat(32) }]) {
    await writeFile(fileOf(dir), JSON.stringify({ ...file, ...change }))
    await t.throwsAsync(store.find(reference), { code: 'share_mismatch' } as object)
  }
  for (const damaged of ['', '{', '[]', 'null', JSON.stringify({ ...file, version: 1 }), JSON.stringify({ ...file, sealed: 'zz' })]) {
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

test('an attempt leaves one share, those at the generation of a key at most eight', async (t) => {
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
  await t.throwsAsync(again.assertRoom({ keyId: 'key-2', epoch: 1, attempt: 1 }, record().policy), { code: 'key_revoked' } as object)
})

const second = { ...reference, epoch: 2 }
const filesOf = async (dir: string) => (await readdir(join(dir, 'shares', 'key-1'))).toSorted()
const renewed = new Uint8Array(66).fill(9)

/** Shares of two epochs, the second one pending. */
async function refreshed(t: ExecutionContext) {
  const opened = await open(t)
  await opened.store.keep(record(), share)
  await opened.store.keep(record({ epoch: 2 }), renewed, { beside: [] })
  return opened
}

test('the share of a new epoch stands beside the old one, and each is found by its own epoch', async (t) => {
  const { dir, store } = await refreshed(t)
  t.deepEqual(await filesOf(dir), ['epoch-1-attempt-1.json', 'epoch-2-attempt-1.pending.json'])
  t.deepEqual(await store.use(await store.find(reference), (opened) => opened.slice()), share)
  t.deepEqual(await store.use(await store.find(second), (opened) => opened.slice()), renewed)
  t.is((await open(t, dir)).store.count, 2)
})

test('a share opens in no other epoch', async (t) => {
  const { dir, store } = await refreshed(t)
  const [old, fresh] = [fileOf(dir), join(dir, 'shares', 'key-1', 'epoch-2-attempt-1.pending.json')]
  const file = JSON.parse(await readFile(old, 'utf8'))
  await writeFile(fresh, JSON.stringify({ ...file, epoch: 2 }))
  const stored = await store.find(second)
  await t.throwsAsync(
    store.use(stored, () => t.fail()),
    { code: 'share_unreadable' } as object,
  )
})

test('a pending share can be discarded, a confirmed one cannot', async (t) => {
  const { dir, store } = await refreshed(t)
  await store.discard(second)
  await store.discard(second)
  t.deepEqual(await filesOf(dir), ['epoch-1-attempt-1.json'])
  await store.keep(record({ epoch: 2, attempt: 2 }), renewed, { beside: [] })
  const third = { ...second, attempt: 2 }
  await store.confirm(third)
  await store.confirm(third)
  await t.throwsAsync(store.discard(third), { code: 'share_confirmed' } as object)
  await store.discardPending('key-1', 2)
  t.deepEqual(await filesOf(dir), ['epoch-1-attempt-1.json', 'epoch-2-attempt-2.json'])
  await t.throwsAsync(store.discard(reference), { code: 'share_confirmed' } as object)
  t.is(store.count, 2)
})

test('an attempt at a refresh that others have overtaken leaves no share', async (t) => {
  const { dir, store } = await refreshed(t)
  const overtaken = (attempt: number, beside: readonly number[]) =>
    t.throwsAsync(store.keep(record({ epoch: 2, attempt }), renewed, { beside }), { code: 'share_replaced' } as object)
  await overtaken(2, [])
  await overtaken(2, [1])
  await store.confirm(second)
  t.deepEqual(await store.confirmedIn('key-1', 2), [1])
  await overtaken(2, [])
  for (let attempt = 2; attempt <= 12; attempt++) {
    await store.keep(record({ epoch: 2, attempt }), renewed, { beside: await store.confirmedIn('key-1', 2) })
    await store.confirm({ ...second, attempt })
  }
  await store.supersede('key-1', 3)
  t.deepEqual(await filesOf(dir), [])
})

test('a share that does not open is not confirmed', async (t) => {
  const { dir, store } = await refreshed(t)
  const fresh = join(dir, 'shares', 'key-1', 'epoch-2-attempt-1.pending.json')
  const file = JSON.parse(await readFile(fresh, 'utf8'))
  await writeFile(fresh, JSON.stringify({ ...file, sealed: `${file.sealed.slice(0, -2)}00` }))
  await t.throwsAsync(store.confirm(second), { code: 'share_unreadable' } as object)
  t.deepEqual(await filesOf(dir), ['epoch-1-attempt-1.json', 'epoch-2-attempt-1.pending.json'])
})

test('an epoch supersedes those before it, and what was left pending in it', async (t) => {
  const { dir, store } = await refreshed(t)
  await store.confirm(second)
  await store.keep(record({ epoch: 2, attempt: 2 }), renewed, { beside: [1] })
  await store.supersede('key-1', 2)
  t.deepEqual(await filesOf(dir), ['epoch-2-attempt-1.json'])
  await t.throwsAsync(store.find(reference), { code: 'share_replaced' } as object)
  t.is(store.count, 1)
})

test('a recovered share takes the place of one that does not open, pending or not', async (t) => {
  const { dir, store } = await refreshed(t)
  for (const [name, epoch] of [
    ['epoch-1-attempt-1.json', 1],
    ['epoch-2-attempt-1.pending.json', 2],
  ] as const) {
    await writeFile(join(dir, 'shares', 'key-1', name), 'damaged')
    await store.keep(record({ epoch }), renewed, 'recovered')
    t.deepEqual(await store.use(await store.find({ ...reference, epoch }), (opened) => opened.slice()), renewed)
  }
  t.deepEqual(await filesOf(dir), ['epoch-1-attempt-1.json', 'epoch-2-attempt-1.json'])
  t.is(store.count, 2)
})

test('a party that died between the mark of a revocation and the destruction refuses the key all the same', async (t) => {
  const { dir } = await refreshed(t)
  await writeFile(join(dir, 'shares', 'key-1', 'revoked'), '')
  const { store } = await open(t, dir)
  await t.throwsAsync(store.find(reference), { code: 'key_revoked' } as object)
  await t.throwsAsync(store.confirm(second), { code: 'key_revoked' } as object)
  await store.revoke('key-1')
  t.deepEqual(await filesOf(dir), ['revoked'])
  t.is(store.count, 0)
})

test('what was being written when the party died is gone when it is back', async (t) => {
  const { dir, store } = await open(t)
  await store.keep(record(), share)
  await writeFile(`${fileOf(dir)}.1b4e28ba-2fa1-4d28-9b6d-2f6b1a3c9d7e.draft`, 'half a share')
  await open(t, dir)
  t.deepEqual(await filesOf(dir), ['epoch-1-attempt-1.json'])
})

test('a revocation leaves nothing behind, whatever is being kept and confirmed at the same time', async (t) => {
  const { dir, store } = await refreshed(t)
  await Promise.allSettled([
    store.keep(record({ epoch: 2, attempt: 2 }), renewed, { beside: [] }),
    store.confirm(second),
    store.revoke('key-1'),
    store.keep(record({ epoch: 2, attempt: 3 }), renewed, { beside: [] }),
    store.supersede('key-1', 2),
  ])
  t.deepEqual(await filesOf(dir), ['revoked'])
  t.is(store.count, 0)
})

const version = (number: number, changes: Partial<KeyPolicy> = {}): KeyPolicy => ({ ...policy, version: number, ...changes })

test('a change of policy seals every share of the key anew, and they open as before', async (t) => {
  const { dir, store } = await open(t)
  await store.keep(record(), share)
  await store.keep(record({ attempt: 2 }), share)
  await store.changePolicy('key-1', version(2, { rawDigests: true }))
  const again = (await open(t, dir)).store
  t.deepEqual(await again.policy('key-1'), version(2, { rawDigests: true }))
  for (const attempt of [1, 2]) t.deepEqual(await again.use(await again.find({ ...reference, attempt }), (opened) => opened.slice()), share)
  t.is(again.count, 2)
})

test('a change that was interrupted between two files is finished by the same change alone', async (t) => {
  const { dir, store } = await open(t)
  await store.keep(record(), share)
  await store.keep(record({ attempt: 2 }), share)
  const before = await readFile(fileOf(dir))
  await store.changePolicy('key-1', version(2))
  await writeFile(fileOf(dir), before)
  t.is((await store.policy('key-1')).version, 1)
  await t.throwsAsync(store.changePolicy('key-1', version(2, { rawDigests: true })), { code: 'policy_out_of_order' } as object)
  await store.changePolicy('key-1', version(2))
  t.is((await store.policy('key-1')).version, 2)
})

test('a change that does not follow the policy in force is refused', async (t) => {
  const { store } = await open(t)
  await store.keep(record(), share)
  await t.throwsAsync(store.changePolicy('key-1', version(3)), { code: 'policy_out_of_order' } as object)
  await t.throwsAsync(store.changePolicy('key-2', version(2)), { code: 'unknown_key' } as object)
  await store.revoke('key-1')
  await t.throwsAsync(store.changePolicy('key-1', version(2)), { code: 'key_revoked' } as object)
})

test('a revocation while the policy is changed leaves no share behind', async (t) => {
  const { dir, store } = await open(t)
  await store.keep(record(), share)
  await Promise.all([store.changePolicy('key-1', version(2)), store.revoke('key-1')])
  t.deepEqual(await readdir(join(dir, 'shares', 'key-1')), ['revoked'])
})

test('a further attempt at a key is under the policy of the ones before, or not at all', async (t) => {
  const { store } = await open(t)
  await store.keep(record(), share)
  const other = encodePolicy(version(1, { rawDigests: true }))
  await t.throwsAsync(store.assertRoom({ keyId: 'key-1', epoch: 1, attempt: 2 }, other), { code: 'request_mismatch' } as object)
  await t.throwsAsync(store.keep(record({ attempt: 2, policy: other }), share), { code: 'request_mismatch' } as object)
})

test('a ban replaces every share of the key, survives a restart, and goes no further when it is interrupted and asked for again', async (t) => {
  const { dir, store } = await open(t)
  await store.keep(record(), share)
  await store.keep(record({ epoch: 2 }), share, { beside: [] })
  const before = await readFile(fileOf(dir))
  t.deepEqual(await store.banned('key-1'), [])
  const without = (share: Uint8Array) => share.slice(0, 10)
  let vaultWorks = false
  const failing = openShareStore({
    dir,
    partyId: 'party-1',
    vault: { ...vault, seal: (...given) => (vaultWorks ? vault.seal(...given) : Promise.reject(new Error('no vault'))) },
  })
  await t.throwsAsync((await failing).ban('key-1', 'party-2', without), { message: 'no vault' })
  t.deepEqual(await store.banned('key-1'), ['party-2'], 'durable before the shares are touched')
  t.deepEqual(await readFile(fileOf(dir)), before)

  vaultWorks = true
  for (let time = 0; time < 2; time++) await (await failing).ban('key-1', 'party-2', without)
  const again = (await open(t, dir)).store
  t.deepEqual(await again.banned('key-1'), ['party-2'])
  t.is(again.count, 2)
  for (const epoch of [1, 2])
    t.deepEqual(await again.use(await again.find({ ...reference, epoch }), (opened) => opened.slice()), share.slice(0, 10))
  t.false((await readFile(fileOf(dir))).equals(before))
  await again.supersede('key-1', 2)
  t.deepEqual(await again.banned('key-1'), ['party-2'])

  t.false(await liftBan(dir, 'key-1', 'party-3'))
  t.true(await liftBan(dir, 'key-1', 'party-2'))
  t.deepEqual(await again.banned('key-1'), [])
  await t.throwsAsync(liftBan(dir, '../key-1', 'party-2'))
})

test('a ban that cannot be written holds all the same, until it can be or the store is opened anew', async (t) => {
  const { dir, store } = await open(t)
  await store.keep(record(), share)
  const folder = join(dir, 'shares', 'key-1')
  const without = (share: Uint8Array) => share.slice(0, 10)
  await rename(folder, join(dir, 'gone'))
  await t.throwsAsync(store.ban('key-1', 'party-2', without))
  await rename(join(dir, 'gone'), folder)
  t.deepEqual(await readdir(folder), ['epoch-1-attempt-1.json'])
  t.deepEqual(await store.banned('key-1'), ['party-2'])
  t.deepEqual(await store.banned('key-2'), [])
  t.is(store.unwrittenBans, 1)
  t.deepEqual(await (await open(t, dir)).store.banned('key-1'), [])

  await store.ban('key-1', 'party-2', without)
  t.is(store.unwrittenBans, 0)
  t.deepEqual(await store.banned('key-1'), ['party-2'])
  t.deepEqual(await (await open(t, dir)).store.banned('key-1'), ['party-2'])
})

test('what a share holds for a counterparty is destroyed also when the ban cannot be written', async (t) => {
  const top = await mkdtemp(join(tmpdir(), 'quorate-deep-'))
  t.teardown(() => rm(top, { recursive: true, force: true }))
  // So deep that there is room for the name of a share's file, and none for that of a ban, in the longest path that there is.
  const longest = await longestPath(top)
  const name = join('shares', 'key-1', 'epoch-1-attempt-1.json').length + 60
  const { store } = await open(t, await makeDeep(top, longest - name))
  await store.keep(record(), share)
  await t.throwsAsync(
    store.ban('key-1', 'p'.repeat(64), (share) => share.slice(0, 10)),
    { code: 'ENAMETOOLONG' },
  )
  t.deepEqual(await store.banned('key-1'), ['p'.repeat(64)])
  t.deepEqual(await store.use(await store.find(reference), (opened) => opened.slice()), share.slice(0, 10))
})

/** A folder below, whose path is that long. */
async function makeDeep(top: string, length: number): Promise<string> {
  let path = top
  while (path.length < length) path = join(path, 'd'.repeat(Math.min(200, length - path.length - 1)))
  await mkdir(path, { recursive: true })
  return path
}

/** How long a path may be here, in bytes. */
async function longestPath(top: string): Promise<number> {
  for (const length of [4095, 1023]) {
    const isLegal = await stat(join(top, ...Array<string>(Math.ceil(length / 2)).fill('d')).slice(0, length)).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    )
    if (isLegal) return length
  }
  throw new Error('paths are shorter than expected')
}

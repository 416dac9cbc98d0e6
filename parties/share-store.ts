import { mkdir, readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { encodePolicy, type KeyPolicy } from '../domain/authorisation/key-policy.ts'
import type { ShareReference } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { UnsealFailed, type Vault } from '../domain/ports/vault.ts'
import { syncFolder, writeDurably } from './durable-file.ts'
import { inTurn } from './in-turn.ts'
import { associatedData, decodeStoredShare, encodeStoredShare, policyIn, type ShareRecord, type StoredShare } from './share-record.ts'

/** Attempts at a key's generation that may have left a share behind. */
const MAX_SHARES_PER_KEY = 8
const SHARE_FILE = /^attempt-\d+\.json$/
const REVOKED = 'revoked'

/**
 * A party's shares, sealed by its vault, each in a file `shares/<keyId>/attempt-<n>.json`. A share is in the clear only inside `use`, and is wiped when that
 * ends: the vault opens one in well under a millisecond, so none is kept in memory.
 */
export interface ShareStore {
  readonly count: number
  /**
   * All shares of a key are under one policy, so that nobody can come by another say over it in a further attempt.
   * @throws Refusal `key_revoked`, `share_exists`, `too_many_shares`, `request_mismatch` unless there may be a share of this attempt, under this policy
   */
  assertRoom(keyId: string, attempt: number, policy: Uint8Array): Promise<void>
  /** Seals the share and makes it durable. @throws Refusal as `assertRoom` */
  keep(record: Omit<ShareRecord, 'partyId'>, share: Uint8Array): Promise<void>
  /** @throws Refusal `unknown_key`, `key_revoked`, `share_mismatch`, `share_unreadable` */
  find(reference: ShareReference): Promise<StoredShare>
  /** Opens the share for as long as `work` takes. @throws Refusal `share_unreadable`, Unavailable */
  use<Result>(stored: StoredShare, work: (share: Uint8Array) => Result): Promise<Awaited<Result>>
  /** The policy that the shares of the key are sealed with; of several the earliest, when a change was interrupted. @throws Refusal as `find`, Unavailable */
  policy(keyId: string): Promise<KeyPolicy>
  /**
   * Seals the shares of the key with the next version of their policy. Each file is replaced whole, and one that has been already stays;
   * interrupted, it is to be asked for again.
   * @throws Refusal `policy_out_of_order` unless it follows the one in force, and as `find`, Unavailable
   */
  changePolicy(keyId: string, next: KeyPolicy): Promise<void>
  /**
   * Destroys the shares of the key, and refuses it for ever after; the refusal is durable before the first share goes. The files are removed, not overwritten: what a
   * disk may still hold of them is sealed.
   */
  revoke(keyId: string): Promise<void>
  isRevoked(keyId: string): Promise<boolean>
}

/** Opens the shares of a party; `dir` is made when missing. */
export async function openShareStore({ dir, partyId, vault }: { dir: string; partyId: string; vault: Vault }): Promise<ShareStore> {
  const root = join(dir, 'shares')
  await mkdir(root, { recursive: true, mode: 0o700 })
  const folderOf = (keyId: string) => join(root, keyId)
  const fileOf = (keyId: string, attempt: number) => join(folderOf(keyId), `attempt-${attempt}.json`)
  let count = await countShares(root)

  const turns = inTurn()

  const isRevoked = async (keyId: string) => (await filesIn(folderOf(keyId))).includes(REVOKED)

  async function assertRoom(keyId: string, attempt: number, policy: Uint8Array): Promise<void> {
    const files = await filesIn(folderOf(keyId))
    if (files.includes(REVOKED)) throw new Refusal('key_revoked', 'the key is revoked')
    if (files.includes(`attempt-${attempt}.json`)) throw new Refusal('share_exists', 'there is a share of this attempt')
    if (files.filter((file) => SHARE_FILE.test(file)).length >= MAX_SHARES_PER_KEY)
      throw new Refusal('too_many_shares', `${MAX_SHARES_PER_KEY} attempts have left a share`)
    for (const { record } of await sharesOf(keyId))
      if (Buffer.compare(record.policy, policy) !== 0) throw new Refusal('request_mismatch', 'the key has shares under another policy')
  }

  /** Those there are, as their files say. */
  async function sharesOf(keyId: string): Promise<StoredShare[]> {
    const files = (await filesIn(folderOf(keyId))).filter((file) => SHARE_FILE.test(file))
    return Promise.all(files.map(async (file) => decoded(await readFile(join(folderOf(keyId), file)))))
  }

  async function requireShares(keyId: string): Promise<StoredShare[]> {
    if (await isRevoked(keyId)) throw new Refusal('key_revoked', 'the key is revoked')
    const shares = await sharesOf(keyId)
    if (shares.length === 0) throw new Refusal('unknown_key', 'there is no such share')
    return shares
  }

  async function use<Result>({ record, sealed }: StoredShare, work: (share: Uint8Array) => Result): Promise<Awaited<Result>> {
    let opened: Uint8Array
    try {
      opened = await vault.open(sealed, associatedData(record))
    } catch (error) {
      throw error instanceof UnsealFailed ? new Refusal('share_unreadable', 'the vault does not open the share') : error
    }
    try {
      // A Buffer's slices share its memory, which is wiped below: a plain array is handed out.
      return await work(new Uint8Array(opened.buffer, opened.byteOffset, opened.byteLength))
    } finally {
      opened.fill(0)
    }
  }

  async function makeFolder(keyId: string): Promise<void> {
    await mkdir(folderOf(keyId), { recursive: true, mode: 0o700 })
    await syncFolder(root)
  }

  return {
    get count() {
      return count
    },

    assertRoom: (keyId, attempt, policy) => turns(keyId, () => assertRoom(keyId, attempt, policy)),

    keep(given, share) {
      const record = { ...given, partyId }
      const { keyId, attempt, policy } = record
      return turns(keyId, async () => {
        const sealed = await vault.seal(share, associatedData(record))
        await makeFolder(keyId)
        await assertRoom(keyId, attempt, policy)
        await writeDurably(fileOf(keyId, attempt), encodeStoredShare({ record, sealed }))
        count++
      })
    },

    async find({ keyId, attempt, publicKey }) {
      const bytes = await readFile(fileOf(keyId, attempt)).catch(ignoreMissing)
      if (!bytes) {
        throw (await isRevoked(keyId))
          ? new Refusal('key_revoked', 'the key is revoked')
          : new Refusal('unknown_key', 'there is no such share')
      }
      const stored = decoded(bytes)
      const { record } = stored
      const isIt =
        record.partyId === partyId &&
        record.keyId === keyId &&
        record.attempt === attempt &&
        Buffer.compare(record.publicKey, publicKey) === 0
      if (!isIt) throw new Refusal('share_mismatch', 'the share is of another key')
      return stored
    },

    use,

    policy(keyId) {
      return turns(keyId, async () => {
        const shares = await requireShares(keyId)
        for (const share of shares) await use(share, () => {})
        return shares.map(({ record }) => policyIn(record)).reduce((one, other) => (other.version < one.version ? other : one))
      })
    },

    changePolicy(keyId, next) {
      return turns(keyId, async () => {
        const policy = encodePolicy(next)
        const before = (await requireShares(keyId)).filter(({ record }) => Buffer.compare(record.policy, policy) !== 0)
        if (before.some(({ record }) => policyIn(record).version !== next.version - 1))
          throw new Refusal('policy_out_of_order', 'the policy is not the one that this change was made of')
        for (const stored of before) {
          const record = { ...stored.record, policy }
          const sealed = await use(stored, (share) => vault.seal(share, associatedData(record)))
          await writeDurably(fileOf(keyId, record.attempt), encodeStoredShare({ record, sealed }))
        }
      })
    },

    revoke(keyId) {
      return turns(keyId, async () => {
        await makeFolder(keyId)
        const files = await filesIn(folderOf(keyId))
        if (!files.includes(REVOKED)) await writeDurably(join(folderOf(keyId), REVOKED), new Uint8Array())
        const shares = files.filter((file) => SHARE_FILE.test(file))
        for (const file of shares) await unlink(join(folderOf(keyId), file))
        await syncFolder(folderOf(keyId))
        count -= shares.length
      })
    },

    isRevoked,
  }
}

function decoded(bytes: Uint8Array): StoredShare {
  const stored = decodeStoredShare(bytes)
  if (!stored) throw new Refusal('share_unreadable', "the share's file is damaged")
  return stored
}

async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(ignoreMissing)) ?? []
}

async function countShares(root: string): Promise<number> {
  let count = 0
  for (const keyId of await readdir(root)) count += (await filesIn(join(root, keyId))).filter((file) => SHARE_FILE.test(file)).length
  return count
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

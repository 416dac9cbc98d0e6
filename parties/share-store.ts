import { mkdir, readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { ShareReference } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { UnsealFailed, type Vault } from '../domain/ports/vault.ts'
import { syncFolder, writeDurably } from './durable-file.ts'
import { associatedData, decodeStoredShare, encodeStoredShare, type ShareRecord, type StoredShare } from './share-record.ts'

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
  /** @throws Refusal `key_revoked`, `share_exists`, `too_many_shares` unless there may be a share of this attempt */
  assertRoom(keyId: string, attempt: number): Promise<void>
  /** Seals the share and makes it durable. @throws Refusal as `assertRoom` */
  keep(record: Omit<ShareRecord, 'partyId'>, share: Uint8Array): Promise<void>
  /** @throws Refusal `unknown_key`, `key_revoked`, `share_mismatch`, `share_unreadable` */
  find(reference: ShareReference): Promise<StoredShare>
  /** Opens the share for as long as `work` takes. @throws Refusal `share_unreadable`, Unavailable */
  use<Result>(stored: StoredShare, work: (share: Uint8Array) => Result): Promise<Result>
  /**
   * Destroys the shares of the key, and refuses it for ever after; the refusal is durable before the first share goes. The files are removed, not overwritten: what a
   * disk may still hold of them is sealed.
   */
  revoke(keyId: string): Promise<void>
}

/** Opens the shares of a party; `dir` is made when missing. */
export async function openShareStore({ dir, partyId, vault }: { dir: string; partyId: string; vault: Vault }): Promise<ShareStore> {
  const root = join(dir, 'shares')
  await mkdir(root, { recursive: true, mode: 0o700 })
  const folderOf = (keyId: string) => join(root, keyId)
  const fileOf = (keyId: string, attempt: number) => join(folderOf(keyId), `attempt-${attempt}.json`)
  let count = await countShares(root)

  async function assertRoom(keyId: string, attempt: number): Promise<void> {
    const files = await filesIn(folderOf(keyId))
    if (files.includes(REVOKED)) throw new Refusal('key_revoked', 'the key is revoked')
    if (files.includes(`attempt-${attempt}.json`)) throw new Refusal('share_exists', 'there is a share of this attempt')
    if (files.filter((file) => SHARE_FILE.test(file)).length >= MAX_SHARES_PER_KEY)
      throw new Refusal('too_many_shares', `${MAX_SHARES_PER_KEY} attempts have left a share`)
  }

  async function makeFolder(keyId: string): Promise<void> {
    await mkdir(folderOf(keyId), { recursive: true, mode: 0o700 })
    await syncFolder(root)
  }

  return {
    get count() {
      return count
    },

    assertRoom,

    async keep(given, share) {
      const record = { ...given, partyId }
      const { keyId, attempt } = record
      const sealed = await vault.seal(share, associatedData(record))
      await makeFolder(keyId)
      await assertRoom(keyId, attempt)
      await writeDurably(fileOf(keyId, attempt), encodeStoredShare({ record, sealed }))
      count++
    },

    async find({ keyId, attempt, publicKey }) {
      const bytes = await readFile(fileOf(keyId, attempt)).catch(ignoreMissing)
      if (!bytes) {
        const revoked = (await filesIn(folderOf(keyId))).includes(REVOKED)
        throw revoked ? new Refusal('key_revoked', 'the key is revoked') : new Refusal('unknown_key', 'there is no such share')
      }
      const stored = decodeStoredShare(bytes)
      if (!stored) throw new Refusal('share_unreadable', "the share's file is damaged")
      const { record } = stored
      const isIt =
        record.partyId === partyId &&
        record.keyId === keyId &&
        record.attempt === attempt &&
        Buffer.compare(record.publicKey, publicKey) === 0
      if (!isIt) throw new Refusal('share_mismatch', 'the share is of another key')
      return stored
    },

    async use({ record, sealed }, work) {
      let opened: Uint8Array
      try {
        opened = await vault.open(sealed, associatedData(record))
      } catch (error) {
        throw error instanceof UnsealFailed ? new Refusal('share_unreadable', 'the vault does not open the share') : error
      }
      try {
        // A Buffer's slices share its memory, which is wiped below: a plain array is handed out.
        return work(new Uint8Array(opened.buffer, opened.byteOffset, opened.byteLength))
      } finally {
        opened.fill(0)
      }
    },

    async revoke(keyId) {
      await makeFolder(keyId)
      const files = await filesIn(folderOf(keyId))
      if (!files.includes(REVOKED)) await writeDurably(join(folderOf(keyId), REVOKED), new Uint8Array())
      const shares = files.filter((file) => SHARE_FILE.test(file))
      for (const file of shares) await unlink(join(folderOf(keyId), file))
      await syncFolder(folderOf(keyId))
      count -= shares.length
    },
  }
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

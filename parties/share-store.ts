import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { encodePolicy, type KeyPolicy } from '../domain/authorisation/key-policy.ts'
import { ID_PATTERN, type ShareReference } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { UnsealFailed, type Vault } from '../domain/ports/vault.ts'
import { isDraft, syncFolder, writeDurably } from './durable-file.ts'
import { createTurns } from './in-turn.ts'
import { banFileName, bannedAmong, fileName, type ShareFile, sharesAmong } from './share-files.ts'
import {
  associatedData,
  decodeStoredShare,
  encodeStoredShare,
  FIRST_EPOCH,
  policyIn,
  type ShareRecord,
  type StoredShare,
} from './share-record.ts'

/** Attempts at a key's generation that may have left a share behind. Of a refresh, each of the client's wishes may leave one. */
const MAX_GENERATED = 8
const REVOKED = 'revoked'

/** Which share, and in which epoch of its key. */
export type ShareName = Pick<ShareReference, 'keyId' | 'epoch' | 'attempt'>

/**
 * What a refresh makes can be discarded until it is confirmed. `beside` are the attempts at it of which shares were confirmed here when this one began.
 */
export type Pending = { readonly beside: readonly number[] }

/**
 * A party's shares, sealed by its vault, each in a file `shares/<keyId>/epoch-<e>-attempt-<a>.json`. A share is in the clear only inside `use`, and is wiped when that
 * ends: the vault opens one in well under a millisecond, so none is kept in memory.
 *
 * A share made by a refresh is `pending` until it is confirmed: it can be used, and it can be discarded. A confirmed one goes only when one of a later epoch
 * supersedes it, or with the key. Each change is one step that has either happened or not, whenever the party dies.
 */
export interface ShareStore {
  readonly count: number
  /** Bans that are in memory alone, since their files could not be written: they end with this process, unless asked for again with more success. */
  readonly unwrittenBans: number
  /**
   * All shares of a key are under one policy, so that nobody can come by another say over it in a further attempt.
   * @throws Refusal `key_revoked`, `share_exists`, `too_many_shares`, `request_mismatch` unless there may be a share of this name, under this policy
   */
  assertRoom(name: ShareName, policy: Uint8Array): Promise<void>
  /**
   * Seals the share and makes it durable.
   * @throws Refusal as `assertRoom`; a recovered share may take the place of one that is there. `share_replaced` for a pending one when another attempt has
   * left or confirmed a share since this one began
   */
  keep(record: Omit<ShareRecord, 'partyId'>, share: Uint8Array, as?: 'confirmed' | 'recovered' | Pending): Promise<void>
  /** @throws Refusal `unknown_key`, `share_replaced`, `key_revoked`, `share_mismatch`, `share_unreadable` */
  find(reference: ShareReference): Promise<StoredShare>
  /** Opens the share for as long as `work` takes. @throws Refusal `share_unreadable`, Unavailable */
  use<Result>(stored: StoredShare, work: (share: Uint8Array) => Result): Promise<Awaited<Result>>
  /** From now on the share is not discarded; makes sure that it can be opened. @throws Refusal as `find` and `use` */
  confirm(reference: ShareReference): Promise<StoredShare>
  /** Destroys the share if it is pending. @throws Refusal `share_confirmed` */
  discard(name: ShareName): Promise<void>
  /** Attempts of which the share is confirmed in this epoch, the least first. @throws Refusal `key_revoked` */
  confirmedIn(keyId: string, epoch: number): Promise<readonly number[]>
  /** Destroys what is pending in this epoch. */
  discardPending(keyId: string, epoch: number): Promise<void>
  /** Destroys the shares of earlier epochs, and what is still pending in this one. */
  supersede(keyId: string, epoch: number): Promise<void>
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
  /** With whom this party uses the key no more, whether or not that could be written. What is under way in `ban` is waited for. */
  banned(keyId: string): Promise<readonly string[]>
  /**
   * Has a counterparty banned from the key, and every share of the key replaced by what `without` makes of it. The ban is durable before the first share is
   * touched; one that cannot be written holds in memory, and the shares are replaced all the same. Interrupted, it is to be asked for again.
   * @throws Refusal as `find`, Unavailable, and what the disk refuses
   */
  ban(keyId: string, counterparty: string, without: (share: Uint8Array, record: ShareRecord) => Uint8Array): Promise<void>
}

/** Opens the shares of a party; `dir` is made when missing. */
export async function openShareStore({ dir, partyId, vault }: { dir: string; partyId: string; vault: Vault }): Promise<ShareStore> {
  const root = join(dir, 'shares')
  await mkdir(root, { recursive: true, mode: 0o700 })
  const folderOf = (keyId: string) => join(root, keyId)
  const pathOf = (keyId: string, file: ShareFile) => join(folderOf(keyId), fileName(file))
  const inTurn = createTurns()
  /** Paths of bans that no file says, at most one for each other holder of a key that has a share here. */
  const unwritten = new Set<string>()
  let count = await sweep(root)

  /** @throws Refusal `key_revoked` */
  function sharesOf(keyId: string): ShareFile[] {
    const files = filesIn(folderOf(keyId))
    if (files.includes(REVOKED)) throw new Refusal('key_revoked', 'the key is revoked')
    return sharesAmong(files)
  }

  /** What the files of the key hold. @throws Refusal `key_revoked`, `unknown_key`, `share_unreadable` */
  function readAll(keyId: string): { file: ShareFile; stored: StoredShare }[] {
    const files = sharesOf(keyId)
    if (files.length === 0) throw new Refusal('unknown_key', 'there is no such share')
    return files.map((file) => ({ file, stored: decoded(readFileSync(pathOf(keyId, file))) }))
  }

  async function assertRoom({ keyId, epoch, attempt }: ShareName, policy: Uint8Array): Promise<void> {
    const files = sharesOf(keyId)
    const ofEpoch = files.filter((file) => file.epoch === epoch)
    if (ofEpoch.some((file) => file.attempt === attempt)) throw new Refusal('share_exists', 'there is a share of this attempt')
    if (epoch === FIRST_EPOCH && ofEpoch.length >= MAX_GENERATED)
      throw new Refusal('too_many_shares', `${MAX_GENERATED} attempts have left a share of the key`)
    if (files.length === 0) return
    for (const { stored } of readAll(keyId))
      if (Buffer.compare(stored.record.policy, policy) !== 0)
        throw new Refusal('request_mismatch', 'the key has shares under another policy')
  }

  /** One at a time: of attempts that overtake each other one goes on. */
  async function assertFollows({ keyId, epoch }: ShareName, { beside }: Pending): Promise<void> {
    const ofEpoch = sharesOf(keyId).filter((file) => file.epoch === epoch)
    const hasFollowed = ofEpoch.length === beside.length && ofEpoch.every(({ attempt, pending }) => !pending && beside.includes(attempt))
    if (!hasFollowed) throw new Refusal('share_replaced', 'another attempt at the refresh has left a share since this one began')
  }

  async function makeFolder(keyId: string): Promise<void> {
    await mkdir(folderOf(keyId), { recursive: true, mode: 0o700 })
    await syncFolder(root)
  }

  async function destroy(keyId: string, files: readonly ShareFile[]): Promise<void> {
    if (files.length === 0) return
    for (const file of files) {
      await unlink(pathOf(keyId, file))
      count--
    }
    await syncFolder(folderOf(keyId))
  }

  async function writeBan(keyId: string, counterparty: string): Promise<void> {
    const ban = join(folderOf(keyId), banFileName(counterparty))
    unwritten.add(ban)
    if (!filesIn(folderOf(keyId)).includes(banFileName(counterparty))) await writeDurably(ban, new Uint8Array())
    unwritten.delete(ban)
  }

  async function find(reference: ShareReference): Promise<StoredShare> {
    const { keyId, epoch, attempt, publicKey } = reference
    const shares = sharesOf(keyId)
    const file = named(shares, reference)
    if (!file) {
      throw shares.some((other) => other.epoch > epoch)
        ? new Refusal('share_replaced', 'the key has shares of a later epoch')
        : new Refusal('unknown_key', 'there is no such share')
    }
    const bytes = unlessMissing(() => readFileSync(pathOf(keyId, file)))
    // Confirmed or destroyed this moment: there is an end to either.
    if (!bytes) return find(reference)
    const stored = decoded(bytes)
    const { record } = stored
    const isIt =
      record.partyId === partyId &&
      record.keyId === keyId &&
      record.epoch === epoch &&
      record.attempt === attempt &&
      Buffer.compare(record.publicKey, publicKey) === 0
    if (!isIt) throw new Refusal('share_mismatch', 'the share is of another key')
    return stored
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

  /** Undefined when nothing has changed; the share is wiped. */
  async function sealUnlessSame(before: Uint8Array, share: Uint8Array, record: ShareRecord): Promise<Uint8Array | undefined> {
    try {
      return Buffer.compare(before, share) === 0 ? undefined : await vault.seal(share, associatedData(record))
    } finally {
      share.fill(0)
    }
  }

  return {
    get count() {
      return count
    },
    get unwrittenBans() {
      return unwritten.size
    },
    assertRoom: (name, policy) => inTurn(name.keyId, () => assertRoom(name, policy)),
    find,
    use,

    keep(given, share, as = 'confirmed') {
      const record = { ...given, partyId }
      const { keyId, epoch, attempt } = record
      return inTurn(keyId, async () => {
        const sealed = await vault.seal(share, associatedData(record))
        await makeFolder(keyId)
        const earlier = as === 'recovered' ? named(sharesOf(keyId), record) : await assertRoom(record, record.policy)
        const pending = typeof as === 'object'
        if (pending) await assertFollows(record, as)
        await writeDurably(pathOf(keyId, { epoch, attempt, pending }), encodeStoredShare({ record, sealed }))
        if (!earlier || earlier.pending) count++
        if (earlier?.pending) await destroy(keyId, [earlier])
      })
    },

    confirm(reference) {
      const { keyId } = reference
      return inTurn(keyId, async () => {
        const stored = await find(reference)
        await use(stored, () => {})
        const file = named(sharesOf(keyId), reference)!
        if (file.pending) {
          await rename(pathOf(keyId, file), pathOf(keyId, { ...file, pending: false }))
          await syncFolder(folderOf(keyId))
        }
        return stored
      })
    },

    discard(name) {
      return inTurn(name.keyId, async () => {
        const file = named(sharesOf(name.keyId), name)
        if (!file) return
        if (!file.pending) throw new Refusal('share_confirmed', 'the share is confirmed')
        await destroy(name.keyId, [file])
      })
    },

    async confirmedIn(keyId, epoch) {
      const confirmed = sharesOf(keyId).filter((file) => file.epoch === epoch && !file.pending)
      return confirmed.map(({ attempt }) => attempt).toSorted((a, b) => a - b)
    },

    discardPending(keyId, epoch) {
      return inTurn(keyId, async () => {
        const shares = sharesOf(keyId)
        await destroy(
          keyId,
          shares.filter((file) => file.pending && file.epoch === epoch),
        )
      })
    },

    supersede(keyId, epoch) {
      return inTurn(keyId, async () => {
        const shares = sharesOf(keyId)
        await destroy(
          keyId,
          shares.filter((file) => file.epoch < epoch || (file.pending && file.epoch === epoch)),
        )
      })
    },

    policy(keyId) {
      return inTurn(keyId, async () => {
        const shares = readAll(keyId)
        for (const { stored } of shares) await use(stored, () => {})
        return shares.map(({ stored }) => policyIn(stored.record)).reduce((one, other) => (other.version < one.version ? other : one))
      })
    },

    changePolicy(keyId, next) {
      return inTurn(keyId, async () => {
        const policy = encodePolicy(next)
        const before = readAll(keyId).filter(({ stored }) => Buffer.compare(stored.record.policy, policy) !== 0)
        if (before.some(({ stored }) => policyIn(stored.record).version !== next.version - 1))
          throw new Refusal('policy_out_of_order', 'the policy is not the one that this change was made of')
        for (const { file, stored } of before) {
          const record = { ...stored.record, policy }
          const sealed = await use(stored, (share) => vault.seal(share, associatedData(record)))
          await writeDurably(pathOf(keyId, file), encodeStoredShare({ record, sealed }))
        }
      })
    },

    banned(keyId) {
      return inTurn(keyId, async () => {
        const folder = folderOf(keyId)
        const held = [...unwritten].filter((ban) => dirname(ban) === folder).map((ban) => basename(ban))
        return bannedAmong([...new Set([...filesIn(folder), ...held])])
      })
    },

    ban(keyId, counterparty, without) {
      return inTurn(keyId, async () => {
        // First of all, whatever may be wrong with a share.
        const written = writeBan(keyId, counterparty)
        await Promise.allSettled([written])
        for (const { file, stored } of readAll(keyId)) {
          const { record } = stored
          const sealed = await use(stored, (share) => sealUnlessSame(share, without(share, record), record))
          if (sealed) await writeDurably(pathOf(keyId, file), encodeStoredShare({ record, sealed }))
        }
        await written
      })
    },

    isRevoked: async (keyId) => filesIn(folderOf(keyId)).includes(REVOKED),

    revoke(keyId) {
      return inTurn(keyId, async () => {
        await makeFolder(keyId)
        const files = filesIn(folderOf(keyId))
        if (!files.includes(REVOKED)) await writeDurably(join(folderOf(keyId), REVOKED), new Uint8Array())
        await destroy(keyId, sharesAmong(files))
      })
    },
  }
}

/**
 * Lifts a ban in the store under `dir`, whether or not it is open; false when there is none. What was destroyed with it stays destroyed.
 * @throws Error for what is no id
 */
export async function liftBan(dir: string, keyId: string, counterparty: string): Promise<boolean> {
  if (![keyId, counterparty].every((id) => ID_PATTERN.test(id))) throw new Error('an id has letters, digits, hyphens and underscores')
  const folder = join(dir, 'shares', keyId)
  if (!filesIn(folder).includes(banFileName(counterparty))) return false
  await unlink(join(folder, banFileName(counterparty)))
  await syncFolder(folder)
  return true
}

/** The share of this name; the confirmed one, when a recovery has put it beside a pending one. */
function named(shares: readonly ShareFile[], { epoch, attempt }: Omit<ShareName, 'keyId'>): ShareFile | undefined {
  const both = shares.filter((file) => file.epoch === epoch && file.attempt === attempt)
  return both.find(({ pending }) => !pending) ?? both[0]
}

function decoded(bytes: Uint8Array): StoredShare {
  const stored = decodeStoredShare(bytes)
  if (!stored) throw new Refusal('share_unreadable', "the share's file is damaged")
  return stored
}

/** Read at once, like the shares: they are small, and a signature takes several; through the thread pool each costs ten times as much. */
function filesIn(folder: string): string[] {
  return unlessMissing(() => readdirSync(folder)) ?? []
}

/** Removes what was being written when the party died, and counts the shares. */
async function sweep(root: string): Promise<number> {
  let count = 0
  for (const keyId of await readdir(root)) {
    const files = filesIn(join(root, keyId))
    for (const file of files.filter(isDraft)) await unlink(join(root, keyId, file))
    count += sharesAmong(files).length
  }
  return count
}

function unlessMissing<Found>(read: () => Found): Found | undefined {
  try {
    return read()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return undefined
  }
}

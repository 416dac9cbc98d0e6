import { createCipheriv, createDecipheriv, createHash, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { access, mkdir, open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeFields } from '../../domain/fields.ts'
import type { Sealed } from '../../domain/personal-data/sealed.ts'
import type { DataKeys } from '../../domain/ports/data-keys.ts'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { UnsealFailed, type Vault } from '../../domain/ports/vault.ts'
import { createPrivateFile, readIfPresent, syncFolder } from '../keystore/private-file.ts'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Digits of a key's name that are made of the key itself. */
const NAME_DIGITS = 8
/** For how long an opened key is used before it is looked whether it is still there. */
const REMEMBER_MS = 5_000
const REMEMBERED = 10_000
/** A key may be destroyed between its being found and its being read. */
const LOOKS = 3

const WALLET_ID = /^[\w-]{1,64}$/
const NUMBER = /^[1-9]\d{0,14}$/
const SEALED = /^v1\.([1-9]\d{0,14})-([\da-f]{8})\.([\w-]+)$/

/** `name` tells keys apart that have the same number, such as one made anew after a backup was restored. */
type DataKey = { readonly name: string; readonly key: KeyObject }

export type KeyFolderOptions = { dir: string; vault: Vault; rememberMs?: number }

/**
 * Data keys in a folder: `<dir>/wallets/<walletId>/<number>`, sealed by the vault with wallet and number as associated data. A file is written once, whole and
 * durably, and destroyed by being overwritten and removed, so that several processes may share the folder without a lock. `wallets` is
 * made when the folder is opened, and missed when it goes: a volume that is not there is no erasure, and keys that are made must not be hidden when it is back.
 */
export function openKeyFolder({ dir, vault, rememberMs = REMEMBER_MS }: KeyFolderOptions): DataKeys {
  const wallets = join(dir, 'wallets')
  mkdirSync(wallets, { recursive: true, mode: 0o700 })
  const remembered = new Map<string, { dataKey: DataKey; until: number }>()

  const folderOf = (walletId: string) => {
    if (!WALLET_ID.test(walletId)) throw new UnsealFailed('not the id of a wallet')
    return join(wallets, walletId)
  }
  const fileOf = (walletId: string, number: number) => join(folderOf(walletId), String(number))
  const purposeOf = (walletId: string, number: number) => encodeFields('quorate data key', walletId, number)

  async function numbersOf(walletId: string): Promise<number[]> {
    const names = await readdir(folderOf(walletId)).catch(noneIfMissing)
    if (names.length === 0) await access(wallets)
    return names
      .filter((name) => NUMBER.test(name))
      .map(Number)
      .sort((one, other) => one - other)
  }

  /** Undefined when the key is destroyed. */
  async function find(walletId: string, number: number): Promise<DataKey | undefined> {
    const file = fileOf(walletId, number)
    const known = remembered.get(file)
    if (known && known.until > Date.now()) return known.dataKey
    remembered.delete(file)
    // From here, not from when the vault has answered: the key may be destroyed meanwhile.
    const until = Date.now() + rememberMs
    const wrapped = await readIfPresent(file)
    if (!wrapped) await access(wallets)
    if (!wrapped || wrapped.every((byte) => byte === 0)) return undefined
    const dataKey = await unwrap(walletId, number, wrapped)
    if (remembered.size >= REMEMBERED) remembered.delete(remembered.keys().next().value!)
    remembered.set(file, { dataKey, until })
    return dataKey
  }

  async function unwrap(walletId: string, number: number, wrapped: Uint8Array): Promise<DataKey> {
    const bytes = Buffer.from(await vault.open(wrapped, purposeOf(walletId, number)))
    try {
      const digest = createHash('sha256').update(encodeFields('quorate data key name', bytes)).digest('hex')
      return { name: `${number}-${digest.slice(0, NAME_DIGITS)}`, key: createSecretKey(bytes) }
    } finally {
      bytes.fill(0)
    }
  }

  /** Whoever is first with a number makes its key. */
  async function create(walletId: string, number: number): Promise<void> {
    if (await mkdir(folderOf(walletId), { recursive: true, mode: 0o700 })) await syncFolder(wallets)
    const bytes = randomBytes(KEY_BYTES)
    try {
      await createPrivateFile(fileOf(walletId, number), Buffer.from(await vault.seal(bytes, purposeOf(walletId, number))))
    } finally {
      bytes.fill(0)
    }
  }

  /** A damaged key must not keep a wallet from being frozen: another one takes its place. */
  async function newest(walletId: string): Promise<DataKey> {
    for (let look = 0; look < LOOKS; look++) {
      const number = (await numbersOf(walletId)).at(-1) ?? 0
      const dataKey = number > 0 && (await find(walletId, number).catch(noneIfDamaged))
      if (dataKey) return dataKey
      await create(walletId, number + 1)
    }
    throw new Unavailable('data keys')
  }

  return {
    description: `${dir}, sealed by ${vault.description}`,

    seal: (walletId, field, text) =>
      onDisk(async () => {
        const { name, key } = await newest(walletId)
        const nonce = randomBytes(NONCE_BYTES)
        const cipher = createCipheriv(CIPHER, key, nonce).setAAD(bind(walletId, field, name))
        const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
        return { sealed: `v1.${name}.${Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]).toString('base64url')}` }
      }),

    open: (walletId, field, { sealed }: Sealed) =>
      onDisk(async () => {
        const [, number, digits, text] = SEALED.exec(sealed) ?? []
        const bytes = Buffer.from(text ?? '', 'base64url')
        if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new UnsealFailed('not a sealed field')
        const dataKey = await find(walletId, Number(number))
        if (dataKey?.name !== `${number}-${digits}`) return undefined
        const decipher = createDecipheriv(CIPHER, dataKey.key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
        decipher.setAAD(bind(walletId, field, dataKey.name)).setAuthTag(bytes.subarray(-TAG_BYTES))
        try {
          return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8')
        } catch {
          throw new UnsealFailed('altered, or of another wallet or field')
        }
      }),

    renew: (walletId) =>
      onDisk(async () => {
        const number = ((await numbersOf(walletId)).at(-1) ?? 0) + 1
        await create(walletId, number)
        return number
      }),

    eraseBefore: (walletId, number) =>
      onDisk(async () => {
        const numbers = await numbersOf(walletId)
        // A folder put back from a backup may lack it: what comes after must not be sealed under a number that is erased.
        if (!numbers.some((each) => each >= number)) await create(walletId, number)
        for (const each of numbers.filter((other) => other < number)) {
          remembered.delete(fileOf(walletId, each))
          await destroy(fileOf(walletId, each))
        }
        await syncFolder(folderOf(walletId))
      }),

    ping: () =>
      onDisk(async () => {
        await access(wallets)
        await vault.ping()
      }),

    async close() {
      remembered.clear()
      await vault.close()
    },
  }
}

const bind = (walletId: string, field: string, name: string) => encodeFields('quorate personal field', walletId, field, name)

/** Overwritten first, so that a crash leaves nothing that opens. Another process may have been faster. */
async function destroy(file: string): Promise<void> {
  try {
    const handle = await open(file, 'r+')
    try {
      const { size } = await handle.stat()
      await handle.write(Buffer.alloc(size), 0, size, 0)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await unlink(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function noneIfMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return []
  throw error
}

function noneIfDamaged(error: unknown): undefined {
  if (!(error instanceof UnsealFailed)) throw error
}

/** A disk that fails may be there again later. */
async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : new Unavailable('data keys', { cause: error })
  }
}

import { randomBytes } from 'node:crypto'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { UnsealFailed, type Vault, type VaultKey } from '../../domain/ports/vault.ts'
import type { Driver } from './cryptoki.ts'
import { findOrCreateKey } from './key.ts'
import { codeOf, type ModuleUse, useModule } from './module.ts'
import { TokenRefused } from './refused.ts'
import { createSessionPool } from './session-pool.ts'
import { findOrCreateSigningKey, holdsSigningKeys, signInToken, type TokenSigningKey } from './signing-key.ts'
import { findToken, listTokens, type Token } from './token.ts'

const FORMAT = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Operations run on the thread pool of the process, which has four threads: a device that hangs must not take them all. */
const SESSIONS = 2
const MAX_WAITING = 1_024
const TIMEOUT_MS = 5_000

export type Pkcs11VaultOptions = {
  /** The module of the device's maker, e.g. `/usr/lib/softhsm/libsofthsm2.so`. */
  modulePath: string
  slot?: number | undefined
  tokenLabel?: string | undefined
  pin: string
  keyLabel: string
  sessions?: number
}

/** The signing key is looked for when it is first needed. */
type Session = { handle: Buffer; key: Buffer; signingKey?: TokenSigningKey }

/**
 * A vault in a PKCS#11 token: AES-256-GCM (NIST SP 800-38D) under a key made in the token, sensitive and not extractable, found by its label.
 * Sealed bytes are format (1 byte), nonce (12), ciphertext and tag. Nonces are random, so one key must not seal more than 2^32 times.
 * @throws TokenRefused when the token cannot be used as configured, Unavailable when the device fails
 */
export async function openPkcs11Vault(options: Pkcs11VaultOptions): Promise<Vault> {
  const use = useModule(options.modulePath)
  try {
    return await openVault(use, options)
  } catch (error) {
    use.release()
    throw unavailableUnlessCoded(error)
  }
}

async function openVault(use: ModuleUse, { slot, tokenLabel, pin, keyLabel, sessions = SESSIONS }: Pkcs11VaultOptions): Promise<Vault> {
  const { driver, cryptoki } = use
  const token = findToken(listTokens(driver, cryptoki), { slot, label: tokenLabel })
  const logIn = createLogin(use, pin)
  const pool = createSessionPool<Session>({
    size: sessions,
    maxWaiting: MAX_WAITING,
    timeoutMs: TIMEOUT_MS,
    open: () => openSession(use, token, logIn, keyLabel),
    close: ({ handle }) => closeSession(use, handle),
  })

  async function seal(plaintext: Uint8Array, associatedData: Uint8Array): Promise<Uint8Array> {
    const nonce = randomBytes(NONCE_BYTES)
    const output = await pool.use(async ({ handle, key }) => {
      // Devices refuse to encrypt nothing, so the format goes in front of the plaintext too.
      const input = Buffer.concat([Buffer.of(FORMAT), plaintext])
      try {
        cryptoki.C_EncryptInit(handle, gcm(driver, nonce, associatedData), key)
        return await cryptoki.C_EncryptAsync(handle, input, Buffer.alloc(input.length + TAG_BYTES))
      } finally {
        input.fill(0)
      }
    })
    return Buffer.concat([Buffer.of(FORMAT), nonce, output])
  }

  async function unseal(sealed: Uint8Array, associatedData: Uint8Array): Promise<Uint8Array> {
    if (sealed[0] !== FORMAT || sealed.length < 1 + NONCE_BYTES + 1 + TAG_BYTES) throw new UnsealFailed('not a sealed value of this vault')
    const nonce = Buffer.from(sealed.subarray(1, 1 + NONCE_BYTES))
    const input = Buffer.from(sealed.subarray(1 + NONCE_BYTES))
    return await pool.use(async ({ handle, key }) => {
      // As long as the input, or devices refuse it as too small.
      const buffer = Buffer.alloc(input.length)
      try {
        cryptoki.C_DecryptInit(handle, gcm(driver, nonce, associatedData), key)
        const output = await cryptoki.C_DecryptAsync(handle, input, buffer)
        const plaintext = Uint8Array.from(output.subarray(1))
        output.fill(0)
        return plaintext
      } finally {
        buffer.fill(0)
      }
    })
  }

  async function signingKey(): Promise<VaultKey | undefined> {
    if (!holdsSigningKeys(cryptoki, token.handle)) return undefined
    const keyOf = (session: Session) => {
      session.signingKey ??= findOrCreateSigningKey(driver, cryptoki, session.handle, `${keyLabel}-identity`)
      return session.signingKey
    }
    const { publicKey } = await pool.use(async (session) => keyOf(session))
    return {
      publicKey,
      sign: (message) => translated(pool.use((session) => signInToken(cryptoki, session.handle, keyOf(session), message))),
    }
  }

  /** Seals and opens something of no worth. */
  async function ping(): Promise<void> {
    const nothing = new Uint8Array()
    await unseal(await seal(nothing, nothing), nothing)
  }

  await translated(ping())
  return {
    description: `pkcs11 (${token.model}, token ${token.label})`,
    seal: (plaintext, associatedData) => translated(seal(plaintext, associatedData)),
    async open(sealed, associatedData) {
      try {
        return await unseal(sealed, associatedData)
      } catch (error) {
        if (!mayMeanAltered(driver, error)) throw unavailableUnlessCoded(error)
        // Some devices have no code of its own for a wrong tag: when they still work, that is what it was.
        await translated(ping())
        throw new UnsealFailed('altered, or sealed elsewhere or for something else')
      }
    },
    signingKey: () => translated(signingKey()),
    ping: () => translated(ping()),
    async close() {
      await pool.close()
      // Not reached when the device hangs: finalising the module would hang with it.
      use.release()
    },
  }
}

type Login = (session: Buffer) => void

function openSession({ driver, cryptoki }: ModuleUse, token: Token, logIn: Login, keyLabel: string): Session {
  const handle = cryptoki.C_OpenSession(token.handle, driver.CKF_SERIAL_SESSION | driver.CKF_RW_SESSION)
  try {
    logIn(handle)
    return { handle, key: findOrCreateKey(driver, cryptoki, handle, keyLabel) }
  } catch (error) {
    cryptoki.C_CloseSession(handle)
    throw error
  }
}

/**
 * A login holds for all sessions of a process with a token, and only the first checks the PIN; it is repeated when the device has lost it.
 * A PIN that was refused is never tried again, because tokens lock after a few attempts.
 */
function createLogin({ driver, cryptoki }: ModuleUse, pin: string): Login {
  let refused = false
  return (session) => {
    try {
      if (!refused) cryptoki.C_Login(session, driver.CKU_USER, pin)
    } catch (error) {
      const code = codeOf(error)
      if (code === driver.CKR_USER_ALREADY_LOGGED_IN) return
      refused = code === driver.CKR_PIN_INCORRECT || code === driver.CKR_PIN_LOCKED || code === driver.CKR_PIN_LEN_RANGE
      if (!refused) throw error
    }
    if (refused) throw new TokenRefused('pin_refused', 'the token refuses the PIN')
  }
}

function closeSession({ cryptoki }: ModuleUse, handle: Buffer): void {
  try {
    cryptoki.C_CloseSession(handle)
  } catch {
    // The device has forgotten it, or is gone: either way it is closed.
  }
}

/** The format is authenticated too. */
function gcm(driver: Driver, iv: Buffer, associatedData: Uint8Array) {
  const aad = Buffer.concat([Buffer.of(FORMAT), associatedData])
  const parameter = { type: driver.CK_PARAMS_AES_GCM, iv, aad, ivBits: iv.length * 8, tagBits: TAG_BYTES * 8 }
  return { mechanism: driver.CKM_AES_GCM, parameter }
}

function mayMeanAltered(driver: Driver, error: unknown): boolean {
  const code = codeOf(error)
  return code === driver.CKR_ENCRYPTED_DATA_INVALID || code === driver.CKR_ENCRYPTED_DATA_LEN_RANGE || code === driver.CKR_GENERAL_ERROR
}

async function translated<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    throw unavailableUnlessCoded(error)
  }
}

function unavailableUnlessCoded(error: unknown): unknown {
  if (error instanceof TokenRefused || error instanceof UnsealFailed || error instanceof Unavailable) return error
  return new Unavailable('hsm', { cause: error })
}

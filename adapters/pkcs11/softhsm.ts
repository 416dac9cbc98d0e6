import { access, mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { isDriverInstalled, type ModuleUse, useModule } from './module.ts'
import { TokenRefused } from './refused.ts'
import { listTokens, type Token } from './token.ts'

const PLACES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
]
/** Labels are padded with blanks to this length in the standard. */
const LABEL_BYTES = 32

export type SoftHsm = { modulePath: string; tokenLabel: string }

/** Where SoftHSM is installed; undefined when it is not. */
export async function findSoftHsm(): Promise<string | undefined> {
  for (const place of PLACES) if (await exists(place)) return place
  return undefined
}

/**
 * Makes ready a SoftHSM token kept in `dir`, at the first time by initialising it, and points this process at it (SOFTHSM2_CONF):
 * one such folder per process, before the module is first used. Undefined when SoftHSM or the package that drives it is not installed.
 * @throws TokenRefused when the module cannot be loaded or makes no token
 */
export async function prepareSoftHsm(options: { dir: string; label: string; pin: string; soPin: string }): Promise<SoftHsm | undefined> {
  const modulePath = await findSoftHsm()
  if (modulePath === undefined || !isDriverInstalled()) return undefined
  // A worker has its own copy of the environment, which native code does not see.
  if (!isMainThread) throw new TokenRefused('thread_not_main', 'SoftHSM can be prepared in the main thread only')
  const dir = resolve(options.dir)
  const tokens = join(dir, 'tokens')
  await mkdir(tokens, { recursive: true, mode: 0o700 })
  const configuration = join(dir, 'softhsm2.conf')
  await writeFile(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`, { mode: 0o600 })
  process.env.SOFTHSM2_CONF = configuration
  const use = useModule(modulePath)
  try {
    initialiseToken(use, options)
  } finally {
    // The module numbers its slots anew when it is next initialised.
    use.release()
  }
  return { modulePath, tokenLabel: options.label }
}

function initialiseToken({ driver, cryptoki }: ModuleUse, { label, pin, soPin }: { label: string; pin: string; soPin: string }): void {
  const labelled = (): Token | undefined => listTokens(driver, cryptoki).find((token) => token.initialised && token.label === label)
  if (!labelled()) {
    const blank = listTokens(driver, cryptoki).find((token) => !token.initialised)
    if (!blank) throw new TokenRefused('token_not_created', 'SoftHSM offers no slot for a new token')
    cryptoki.C_InitToken(blank.handle, soPin, label.padEnd(LABEL_BYTES, ' '))
  }
  const token = labelled()
  if (!token || token.userPinSet) return
  const session = cryptoki.C_OpenSession(token.handle, driver.CKF_SERIAL_SESSION | driver.CKF_RW_SESSION)
  try {
    cryptoki.C_Login(session, driver.CKU_SO, soPin)
    cryptoki.C_InitPIN(session, pin)
  } finally {
    cryptoki.C_CloseSession(session)
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch {
    return false
  }
}

import { createRequire } from 'node:module'
import type { Cryptoki, Driver } from './cryptoki.ts'
import { TokenRefused } from './refused.ts'

export type ModuleUse = { driver: Driver; cryptoki: Cryptoki; release(): void }

const loaded = new Map<string, { cryptoki: Cryptoki; users: number }>()

/**
 * Loads a PKCS#11 module. A process initialises a module once, so its users share it, and the last to release it finalises it.
 * @throws TokenRefused when the optional package pkcs11js or the module cannot be loaded
 */
export function useModule(path: string): ModuleUse {
  const driver = loadDriver()
  const entry = loaded.get(path) ?? { cryptoki: loadModule(driver, path), users: 0 }
  loaded.set(path, entry)
  if (entry.users === 0) initialise(driver, entry.cryptoki)
  entry.users++
  let released = false
  return {
    driver,
    cryptoki: entry.cryptoki,
    release() {
      if (released) return
      released = true
      if (--entry.users === 0) entry.cryptoki.C_Finalize()
    },
  }
}

/** The code of the standard (CKR_…) in an error of the driver, if it has one. */
export function codeOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined
}

/** Whether the optional package pkcs11js is there and has been built. */
export function isDriverInstalled(): boolean {
  try {
    loadDriver()
    return true
  } catch (error) {
    if (error instanceof TokenRefused) return false
    throw error
  }
}

function loadDriver(): Driver {
  try {
    return createRequire(import.meta.url)('pkcs11js')
  } catch (error) {
    const message = 'the optional package pkcs11js cannot be loaded; install it with its build script allowed'
    throw new TokenRefused('driver_missing', message, { cause: error })
  }
}

function loadModule(driver: Driver, path: string): Cryptoki {
  const cryptoki = new driver.PKCS11()
  try {
    cryptoki.load(path)
    return cryptoki
  } catch (error) {
    throw new TokenRefused('module_not_loaded', `the PKCS#11 module ${path} cannot be loaded`, { cause: error })
  }
}

function initialise(driver: Driver, cryptoki: Cryptoki): void {
  try {
    // Operations run on several threads.
    cryptoki.C_Initialize({ flags: driver.CKF_OS_LOCKING_OK })
  } catch (error) {
    if (codeOf(error) !== driver.CKR_CRYPTOKI_ALREADY_INITIALIZED) throw error
  }
}

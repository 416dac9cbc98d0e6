import { readFile } from 'node:fs/promises'
import { isExposed } from '../keystore/private-file.ts'
import { BackupRefused } from './refused.ts'

const MIN_BYTES = 12

/** The passphrase of a backup, in a file that only its owner may read; a line break at the end does not count. @throws BackupRefused */
export async function readPassphraseFile(file: string): Promise<Buffer> {
  if (await isExposed(file)) throw new BackupRefused('passphrase_exposed', `${file} must be readable by its owner only (mode 0600)`)
  return strong(await readFile(file))
}

/** @throws BackupRefused `passphrase_weak` */
export function strong(passphrase: Buffer): Buffer {
  const end = passphrase.at(-1) === 0x0a ? -1 : undefined
  const bytes = passphrase.subarray(0, end)
  if (bytes.length < MIN_BYTES) throw new BackupRefused('passphrase_weak', `the passphrase of a backup takes at least ${MIN_BYTES} bytes`)
  return bytes
}

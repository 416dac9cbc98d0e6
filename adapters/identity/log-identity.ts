import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type NoteKey, vkeyOf } from '../../domain/audit/signed-note.ts'
import type { Identity } from '../../domain/ports/identity.ts'
import type { LastSigned } from '../../domain/ports/signed-checkpoints.ts'
import { createPrivateFile, isExposed, readIfPresent, replacePrivateFile } from '../keystore/private-file.ts'
import { softwareKey } from './party-identity.ts'
import { generatePrivateKey, readPrivateKey } from './raw-key.ts'
import { IdentityRefused } from './refused.ts'

export type LogIdentityOptions = {
  readonly dataDir: string
  readonly origin: string | undefined
  /** False for whoever goes on with what another has signed: a key that is missing there is elsewhere. */
  readonly mayBeNew?: boolean
}

export type LogIdentity = { identity: Identity; key: NoteKey; lastSigned: LastSigned }

/**
 * Opens the key that checkpoints of the log are signed with: PKCS#8 in DER, in `<dataDir>/audit/identity`, which is made when it is missing and may be new.
 * Beside it are `vkey`, which is for everybody, and `checkpoint`, the last one that was signed. Without an origin the log is named after its key.
 * @throws IdentityRefused
 */
export async function openLogIdentity({ dataDir, origin, mayBeNew = true }: LogIdentityOptions): Promise<LogIdentity> {
  const fileOf = (name: string) => join(dataDir, 'audit', name)
  const file = fileOf('identity')
  const kept = await readIfPresent(file)
  if (!kept && !mayBeNew)
    throw new IdentityRefused('key_missing', `${file}, the key of the log, is missing: is QUORATE_DATA_DIR the log's folder?`)
  const der = kept ?? (await createPrivateFile(file, generatePrivateKey('ed25519')))
  const privateKey = readPrivateKey('ed25519', der)
  der.fill(0)
  if (!privateKey) throw new IdentityRefused('key_unreadable', `${file} does not hold an Ed25519 key`)
  if (await isExposed(file)) throw new IdentityRefused('key_exposed', `${file} must be readable by its owner only (mode 0600)`)
  const signing = softwareKey(privateKey)
  const name = origin ?? `quorate-${createHash('sha256').update(signing.publicKey).digest('hex').slice(0, 16)}`
  const key: NoteKey = { name, kind: 'ed25519', publicKey: signing.publicKey }
  await replacePrivateFile(fileOf('vkey'), Buffer.from(`${vkeyOf(key)}\n`))
  return {
    identity: { id: name, ...signing },
    key,
    lastSigned: {
      read: async () => (await readIfPresent(fileOf('checkpoint')))?.toString('utf8'),
      write: (note) => replacePrivateFile(fileOf('checkpoint'), Buffer.from(note)),
    },
  }
}

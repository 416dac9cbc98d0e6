import type { Attribute, Cryptoki, Driver } from './cryptoki.ts'
import { TokenRefused } from './refused.ts'

const AES_256_BYTES = 32

/**
 * Finds the AES key with a label, made in the token when there is none. The session must be logged in, or private keys do not show.
 * @throws TokenRefused when several keys bear the label, or when the key could leave the token
 */
export function findOrCreateKey(driver: Driver, cryptoki: Cryptoki, session: Buffer, label: string): Buffer {
  const [key, another] = findKeys(driver, cryptoki, session, label)
  if (another) throw new TokenRefused('key_ambiguous', `more than one AES key is labelled ${label}`)
  if (!key) return createKey(driver, cryptoki, session, label)
  requireSecrecy(driver, cryptoki, session, key, label)
  return key
}

/** @throws TokenRefused when the key could leave the token */
export function requireSecrecy(driver: Driver, cryptoki: Cryptoki, session: Buffer, key: Buffer, label: string): void {
  const secrecy = cryptoki.C_GetAttributeValue(session, key, [{ type: driver.CKA_SENSITIVE }, { type: driver.CKA_EXTRACTABLE }])
  const [sensitive, extractable] = secrecy.map(({ value }) => (value as Buffer)[0] !== 0)
  if (!sensitive || extractable) throw new TokenRefused('key_exportable', `the key ${label} could leave the token`)
}

/** The AES keys with a label; two at most, which is enough to tell whether the label is unique. */
export function findKeys(driver: Driver, cryptoki: Cryptoki, session: Buffer, label: string): Buffer[] {
  return findObjects(driver, cryptoki, session, [
    { type: driver.CKA_CLASS, value: driver.CKO_SECRET_KEY },
    { type: driver.CKA_KEY_TYPE, value: driver.CKK_AES },
    { type: driver.CKA_LABEL, value: label },
  ])
}

/** Objects of the token with these attributes, two at most. */
export function findObjects(driver: Driver, cryptoki: Cryptoki, session: Buffer, attributes: Attribute[]): Buffer[] {
  cryptoki.C_FindObjectsInit(session, [{ type: driver.CKA_TOKEN, value: true }, ...attributes])
  try {
    return cryptoki.C_FindObjects(session, 2)
  } finally {
    cryptoki.C_FindObjectsFinal(session)
  }
}

function createKey(driver: Driver, cryptoki: Cryptoki, session: Buffer, label: string): Buffer {
  return cryptoki.C_GenerateKey(session, { mechanism: driver.CKM_AES_KEY_GEN }, [
    { type: driver.CKA_CLASS, value: driver.CKO_SECRET_KEY },
    { type: driver.CKA_KEY_TYPE, value: driver.CKK_AES },
    { type: driver.CKA_VALUE_LEN, value: AES_256_BYTES },
    { type: driver.CKA_LABEL, value: label },
    { type: driver.CKA_TOKEN, value: true },
    { type: driver.CKA_PRIVATE, value: true },
    { type: driver.CKA_SENSITIVE, value: true },
    { type: driver.CKA_EXTRACTABLE, value: false },
    { type: driver.CKA_ENCRYPT, value: true },
    { type: driver.CKA_DECRYPT, value: true },
    { type: driver.CKA_WRAP, value: false },
    { type: driver.CKA_UNWRAP, value: false },
  ])
}

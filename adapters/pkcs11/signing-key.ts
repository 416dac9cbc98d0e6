import { CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EDDSA, type Cryptoki, type Driver } from './cryptoki.ts'
import { findObjects, requireSecrecy } from './key.ts'
import { TokenRefused } from './refused.ts'

/** id-Ed25519 (RFC 8410), in DER. */
const ED25519 = Buffer.from('06032b6570', 'hex')
const PUBLIC_KEY_BYTES = 32
const SIGNATURE_BYTES = 64

export type TokenSigningKey = { privateKey: Buffer; publicKey: Uint8Array }

/** Whether the token makes Ed25519 keys and signs with them. */
export function holdsSigningKeys(cryptoki: Cryptoki, slot: Buffer): boolean {
  const mechanisms = cryptoki.C_GetMechanismList(slot)
  return mechanisms.includes(CKM_EC_EDWARDS_KEY_PAIR_GEN) && mechanisms.includes(CKM_EDDSA)
}

/**
 * Finds the Ed25519 key pair with a label, made in the token when there is none. The session must be logged in.
 * @throws TokenRefused when several keys bear the label, or when the private key could leave the token
 */
export function findOrCreateSigningKey(driver: Driver, cryptoki: Cryptoki, session: Buffer, label: string): TokenSigningKey {
  const find = (objectClass: number): Buffer | undefined => {
    const [key, another] = findObjects(driver, cryptoki, session, [
      { type: driver.CKA_CLASS, value: objectClass },
      { type: driver.CKA_KEY_TYPE, value: CKK_EC_EDWARDS },
      { type: driver.CKA_LABEL, value: label },
    ])
    if (another) throw new TokenRefused('key_ambiguous', `more than one Ed25519 key is labelled ${label}`)
    return key
  }
  const found = { privateKey: find(driver.CKO_PRIVATE_KEY), publicKey: find(driver.CKO_PUBLIC_KEY) }
  const { privateKey, publicKey } = found.privateKey ? found : createKeyPair(driver, cryptoki, session, label)
  if (!privateKey || !publicKey) throw new TokenRefused('key_incomplete', `the public half of the key ${label} is missing`)
  requireSecrecy(driver, cryptoki, session, privateKey, label)
  const [point] = cryptoki.C_GetAttributeValue(session, publicKey, [{ type: driver.CKA_EC_POINT }]) as { value: Buffer }[]
  // Some tokens wrap it in a DER octet string, some do not: the key is what it ends with.
  return { privateKey, publicKey: Uint8Array.from(point!.value.subarray(-PUBLIC_KEY_BYTES)) }
}

export async function signInToken(
  cryptoki: Cryptoki,
  session: Buffer,
  { privateKey }: TokenSigningKey,
  message: Uint8Array,
): Promise<Uint8Array> {
  cryptoki.C_SignInit(session, { mechanism: CKM_EDDSA }, privateKey)
  return Uint8Array.from(await cryptoki.C_SignAsync(session, Buffer.from(message), Buffer.alloc(SIGNATURE_BYTES)))
}

function createKeyPair(driver: Driver, cryptoki: Cryptoki, session: Buffer, label: string) {
  const kept = [
    { type: driver.CKA_LABEL, value: label },
    { type: driver.CKA_TOKEN, value: true },
  ]
  return cryptoki.C_GenerateKeyPair(
    session,
    { mechanism: CKM_EC_EDWARDS_KEY_PAIR_GEN },
    [...kept, { type: driver.CKA_EC_PARAMS, value: ED25519 }, { type: driver.CKA_VERIFY, value: true }],
    [
      ...kept,
      { type: driver.CKA_PRIVATE, value: true },
      { type: driver.CKA_SENSITIVE, value: true },
      { type: driver.CKA_EXTRACTABLE, value: false },
      { type: driver.CKA_SIGN, value: true },
    ],
  )
}

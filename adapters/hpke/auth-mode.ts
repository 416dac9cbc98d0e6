import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'

/**
 * HPKE (RFC 9180) in auth mode (section 5.1.3), single shot, without associated data: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. By OpenSSL and in
 * one go: through WebCrypto, which takes some twenty steps for it on other threads, it takes five times as long.
 */

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'
const MODE_AUTH = Buffer.of(2)
const NOTHING = Buffer.alloc(0)
const VERSION = Buffer.from('HPKE-v1')
/** DHKEM(X25519, HKDF-SHA256) is 0x0020, HKDF-SHA256 0x0001, AES-256-GCM 0x0002 (section 7). */
const KEM = Buffer.from('KEM\x00\x20')
const SUITE = Buffer.from('HPKE\x00\x20\x00\x01\x00\x02')

/** A key pair of X25519, the public key also as its 32 bytes. */
export type HpkeKey = { readonly privateKey: KeyObject; readonly publicKey: Uint8Array }

/** What of a ciphertext both sides come to: the key and the nonce it is encrypted with. */
type Secrets = { readonly key: Buffer; readonly nonce: Buffer }

/** Encapsulated key (32 bytes), ciphertext and tag. Throws when the recipient's is no key, or one that would give away what is sealed. */
export function seal(sender: HpkeKey, recipient: Uint8Array, info: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const ephemeral = generateKeyPairSync('x25519')
  const enc = rawKey(ephemeral.publicKey)
  const theirs = publicKeyOf(recipient)
  const secrets = agree(
    [
      [ephemeral.privateKey, theirs],
      [sender.privateKey, theirs],
    ],
    [enc, recipient, sender.publicKey],
    info,
  )
  return using(secrets, ({ key, nonce }) => {
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    return Buffer.concat([enc, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  })
}

/** What `seal` has sealed. Throws for whatever has not been sealed by this sender, to this recipient, with this `info`. The caller wipes the plaintext after use. */
export function open(recipient: HpkeKey, sender: Uint8Array, info: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (sealed.length < KEY_BYTES + TAG_BYTES) throw new Error('too short')
  const enc = sealed.subarray(0, KEY_BYTES)
  const secrets = agree(
    [
      [recipient.privateKey, publicKeyOf(enc)],
      [recipient.privateKey, publicKeyOf(sender)],
    ],
    [enc, recipient.publicKey, sender],
    info,
  )
  return using(secrets, ({ key, nonce }) => {
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
    const unproven = decipher.update(sealed.subarray(KEY_BYTES, -TAG_BYTES))
    try {
      decipher.final()
      return Uint8Array.from(unproven)
    } finally {
      unproven.fill(0)
    }
  })
}

/** The 32 bytes of a public key. Keys come and go as JWK: to read or write DER takes OpenSSL longer than what is done with them. */
export const rawKey = (publicKey: KeyObject): Uint8Array => new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url'))

function publicKeyOf(raw: Uint8Array): KeyObject {
  if (raw.length !== KEY_BYTES) throw new Error('not a key')
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: Buffer.from(raw).toString('base64url') }, format: 'jwk' })
}

/** AuthEncap and AuthDecap (section 4.1), which differ in who knows which of the keys, and KeySchedule (section 5.1). Throws when one of the keys is of low order. */
function agree(pairs: readonly [KeyObject, KeyObject][], kemContext: readonly Uint8Array[], info: Uint8Array): Secrets {
  const shared = pairs.map(([privateKey, publicKey]) => diffieHellman({ privateKey, publicKey }))
  const dh = Buffer.concat(shared)
  const prk = extract(KEM, NOTHING, 'eae_prk', dh)
  const sharedSecret = expand(KEM, prk, 'shared_secret', Buffer.concat(kemContext), KEY_BYTES)
  const context = Buffer.concat([MODE_AUTH, NO_PSK_ID, extract(SUITE, NOTHING, 'info_hash', info)])
  const secret = extract(SUITE, sharedSecret, 'secret', NOTHING)
  const secrets = {
    key: expand(SUITE, secret, 'key', context, KEY_BYTES),
    nonce: expand(SUITE, secret, 'base_nonce', context, NONCE_BYTES),
  }
  for (const each of [...shared, dh, prk, sharedSecret, secret]) each.fill(0)
  return secrets
}

function using<Result>(secrets: Secrets, work: (secrets: Secrets) => Result): Result {
  try {
    return work(secrets)
  } finally {
    secrets.key.fill(0)
    secrets.nonce.fill(0)
  }
}

/** LabeledExtract (section 4). */
function extract(suite: Buffer, salt: Uint8Array, label: string, ikm: Uint8Array): Buffer {
  return createHmac('sha256', salt).update(VERSION).update(suite).update(label).update(ikm).digest()
}

/** LabeledExpand (section 4), of 32 bytes at most, which is one step of HKDF (RFC 5869, section 2.3). */
function expand(suite: Buffer, prk: Uint8Array, label: string, info: Uint8Array, length: number): Buffer {
  const hmac = createHmac('sha256', prk).update(Buffer.of(0, length)).update(VERSION).update(suite)
  return hmac.update(label).update(info).update(Buffer.of(1)).digest().subarray(0, length)
}

const NO_PSK_ID = extract(SUITE, NOTHING, 'psk_id_hash', NOTHING)

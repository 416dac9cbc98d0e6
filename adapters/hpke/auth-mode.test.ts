import { generateKeyPairSync } from 'node:crypto'
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import test from 'ava'
import { type HpkeKey, open, rawKey, seal } from './auth-mode.ts'

/** Another implementation, over WebCrypto. */
const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })

function newKey(): HpkeKey {
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  return { privateKey, publicKey: rawKey(publicKey) }
}

async function theirs({ privateKey, publicKey }: HpkeKey) {
  const raw = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32)
  return { private: await suite.kem.deserializePrivateKey(raw), public: await suite.kem.deserializePublicKey(publicKey) }
}

const [sender, recipient] = [newKey(), newKey()]
const inputs = [0, 1, 32, 1_000, 70_000].flatMap((length) => [0, 1, 300].map((infoLength) => ({ length, infoLength })))

test('another implementation opens what is sealed', async (t) => {
  const [from, to] = [await theirs(sender), await theirs(recipient)]
  for (const { length, infoLength } of inputs) {
    const [plaintext, info] = [new Uint8Array(length).fill(7), new Uint8Array(infoLength).fill(9)]
    const sealed = seal(sender, recipient.publicKey, info, plaintext)
    t.is(sealed.length, 32 + length + 16)
    const enc = Uint8Array.from(sealed.subarray(0, 32))
    const opened = await suite.open(
      { recipientKey: to.private, senderPublicKey: from.public, enc, info },
      Uint8Array.from(sealed.subarray(32)),
    )
    t.deepEqual(new Uint8Array(opened), plaintext)
  }
})

test('what another implementation seals is opened', async (t) => {
  const [from, to] = [await theirs(sender), await theirs(recipient)]
  for (const { length, infoLength } of inputs) {
    const [plaintext, info] = [new Uint8Array(length).fill(7), new Uint8Array(infoLength).fill(9)]
    const { enc, ct } = await suite.seal({ recipientPublicKey: to.public, senderKey: from.private, info }, plaintext)
    t.deepEqual(open(recipient, sender.publicKey, info, Buffer.concat([new Uint8Array(enc), new Uint8Array(ct)])), plaintext)
  }
})

test('keys of low order, with which anybody would know the secret, are refused', (t) => {
  const info = new Uint8Array()
  // The points of order 1, 2, 4 and 8 (RFC 7748, section 6.1), with the highest bit, which is ignored, as it is and set.
  const lowOrder = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ].flatMap((hex) => {
    const key = Buffer.from(hex, 'hex')
    return [key, Buffer.concat([key.subarray(0, 31), Buffer.of(key[31]! | 0x80)])]
  })
  const sealed = seal(sender, recipient.publicKey, info, new Uint8Array(8))
  for (const key of lowOrder) {
    t.throws(() => seal(sender, key, info, new Uint8Array(8)))
    t.throws(() => open(recipient, key, info, sealed))
    t.throws(() => open(recipient, sender.publicKey, info, Buffer.concat([key, sealed.subarray(32)])))
  }
})

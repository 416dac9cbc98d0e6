import test from 'ava'
import { verifyJws } from '../../adapters/jws/verify-jws.ts'
import { MalformedJson } from '../json/strict-json.ts'
import { readClientKey } from './client-key.ts'
import { createSigner } from './testing/signer.ts'

const [laptop, hsm] = [createSigner('laptop').key, createSigner('hsm', 'P-256').key]

test('public keys of both curves are read, without what says nothing about which they are', (t) => {
  t.deepEqual(readClientKey({ ...laptop, alg: 'EdDSA', use: 'sig', key_ops: ['verify'], ext: true }), laptop)
  t.deepEqual(readClientKey(hsm), hsm)
})

test('a private key, a point that is none, one under which anybody can sign, and another spelling are refused', (t) => {
  const identity = Buffer.from(Uint8Array.of(1, ...new Uint8Array(31))).toString('base64url')
  for (const key of [
    { ...laptop, d: laptop.x },
    { ...laptop, kid: '' },
    { ...laptop, kid: 'k'.repeat(201) },
    { ...laptop, x: identity },
    { ...laptop, x: '' },
    { ...laptop, x: `${laptop.x}=` },
    { ...laptop, y: laptop.x },
    { ...laptop, kty: 'EC' },
    { ...laptop, crv: 'X25519' },
    { ...hsm, y: hsm.x },
    { ...hsm, y: undefined },
    { ...hsm, kty: 'OKP' },
    { ...hsm, crv: 'secp256k1' },
    null,
  ])
    t.throws(() => readClientKey(key), { instanceOf: MalformedJson }, JSON.stringify(key))
})

test('under an approver of old, who was a name and no key, nothing verifies', (t) => {
  const bob = { kid: 'bob', kty: 'OKP', crv: 'Ed25519', x: '' } as const
  t.false(verifyJws(bob, new Uint8Array(10), new Uint8Array(64)))
})

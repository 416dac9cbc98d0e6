import { utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { protocolOf } from '../registry.ts'
import type { FrostScheme } from './ciphersuites.ts'
import { generateKey, sign } from './star.ts'
import { VERIFIERS } from './verifiers.ts'

/** Tests that so many of so many parties generate a key and sign with it. */
export function testSizes(scheme: FrostScheme, sizes: readonly (readonly [threshold: number, parties: number])[]): void {
  const protocol = protocolOf(scheme)
  for (const [threshold, parties] of sizes)
    test(`${scheme}: ${threshold} of ${parties} generate a key and sign`, (t) => {
      const keys = generateKey(protocol, { threshold, parties })
      const { publicKey, publicPackage } = keys.get(1)!
      for (const key of keys.values()) {
        t.deepEqual(key.publicKey, publicKey)
        t.deepEqual(key.publicPackage, publicPackage)
      }
      t.deepEqual(protocol.inspect(publicPackage), { threshold, parties, publicKey })
      const signers = Array.from({ length: threshold }, (_, i) => parties - i)
      const message = protocol.message(utf8ToBytes('pay 5 to carol'))
      const { signature } = sign(protocol, keys, signers, message)
      t.is(signature.length, 64)
      t.true(VERIFIERS[scheme](publicKey, message, signature))
      t.true(protocol.verify(publicKey, message, signature))
    })
}

import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import type { PartyIndex } from '../protocol.ts'
import { protocolOf } from '../registry.ts'
import { FROST_SCHEMES } from '../testing/ciphersuites.ts'
import { testSizes } from '../testing/sizes.ts'
import { generateKey, openAlone, refresh, rng, sign } from '../testing/star.ts'
import { VERIFIERS } from '../testing/verifiers.ts'

const PAYLOAD = utf8ToBytes('pay 5 to carol')

for (const scheme of FROST_SCHEMES) {
  const protocol = protocolOf(scheme)
  const verifies = VERIFIERS[scheme]

  // `every-size.test.ts` has the others.
  testSizes(scheme, [
    [1, 1],
    [2, 2],
    [2, 3],
    [3, 5],
  ])

  test(`${scheme}: every quorum of 2 of 3, and more than a quorum, signs for the same key`, (t) => {
    const keys = generateKey(protocol, { threshold: 2, parties: 3 })
    const message = protocol.message(PAYLOAD)
    for (const signers of [
      [1, 2],
      [1, 3],
      [3, 2],
      [2, 1, 3],
    ])
      t.true(verifies(keys.get(1)!.publicKey, message, sign(protocol, keys, signers, message).signature))
  })

  for (const [what, payload] of [
    ['empty', new Uint8Array()],
    ['a single zero byte', new Uint8Array(1)],
    ['a message that starts with zero bytes', hexToBytes('0000000000000000000000000000000000000000000000000000000000000001')],
    ['10 kB', rng(10_240)],
  ] as const)
    test(`${scheme}: signs ${what}`, (t) => {
      const keys = generateKey(protocol, { threshold: 2, parties: 2 })
      const { publicKey } = keys.get(1)!
      const { signature } = sign(protocol, keys, [1, 2], protocol.message(payload))
      t.true(verifies(publicKey, protocol.message(payload), signature))
      t.false(protocol.verify(publicKey, protocol.message(Uint8Array.of(...payload, 0)), signature))
    })

  test(`${scheme}: openings are made before message and signers are known, and used by whoever signs`, (t) => {
    const keys = generateKey(protocol, { threshold: 2, parties: 3 })
    const { publicKey, publicPackage } = keys.get(1)!
    const signersOf = (self: PartyIndex) => Array.from({ length: 2 }, () => openAlone(protocol, keys.get(self)!))
    const pool = new Map([1, 2, 3].map((self) => [self, signersOf(self)]))
    for (const signers of [
      [1, 3],
      [2, 3],
    ]) {
      const message = protocol.message(utf8ToBytes(`signed by ${signers}`))
      const taken = new Map(signers.map((self) => [self, pool.get(self)!.pop()!]))
      const openings = new Map([...taken].map(([self, { broadcast }]) => [self, broadcast]))
      const contributions = new Map<PartyIndex, Uint8Array>()
      for (const [self, signer] of taken)
        contributions.set(self, signer.contribute({ key: keys.get(self)!, path: [], signers, message }, openings))
      const { signature } = protocol.aggregate({ publicPackage, path: [], signers, message, broadcasts: openings, contributions })
      t.true(verifies(publicKey, message, signature))
    }
  })

  test(`${scheme}: two key generations give two keys, and two signatures of one message differ`, (t) => {
    const first = generateKey(protocol, { threshold: 1, parties: 2 })
    const second = generateKey(protocol, { threshold: 1, parties: 2 })
    t.notDeepEqual(first.get(1)!.publicKey, second.get(1)!.publicKey)
    const message = protocol.message(PAYLOAD)
    t.notDeepEqual(sign(protocol, first, [1], message), sign(protocol, first, [1], message))
  })

  test(`${scheme}: whatever is malformed does not verify, and nothing throws`, (t) => {
    const keys = generateKey(protocol, { threshold: 1, parties: 1 })
    const { publicKey } = keys.get(1)!
    const message = protocol.message(PAYLOAD)
    const { signature } = sign(protocol, keys, [1], message)
    const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
    for (let at = 0; at < 64; at += 9) t.false(protocol.verify(publicKey, message, flipped(signature, at)))
    t.false(protocol.verify(flipped(publicKey, 3), message, signature))
    t.false(protocol.verify(publicKey, message, signature.subarray(1)))
    t.false(protocol.verify(publicKey, message, Uint8Array.of(...signature, 0)))
    t.false(protocol.verify(publicKey.subarray(1), message, signature))
    t.false(protocol.verify(new Uint8Array(32), message, new Uint8Array(64)))
    t.false(protocol.verify(new Uint8Array(), message, new Uint8Array()))
  })

  test(`${scheme}: random bytes are wiped after use`, (t) => {
    const drawn: Uint8Array[] = []
    const remembering = (length: number) => {
      const bytes = rng(length)
      drawn.push(bytes)
      return bytes
    }
    const keys = generateKey(protocol, { threshold: 2, parties: 2 }, { randomOf: () => remembering })
    openAlone(protocol, keys.get(1)!, remembering)
    refresh(protocol, keys, { randomOf: () => remembering })
    t.is(drawn.length, 2 * 3 + 2 + 2 * 2)
    for (const bytes of drawn) t.regex(bytesToHex(bytes), /^0+$/)
  })
}

test('frost-ed25519: a public key of small order verifies nothing', (t) => {
  const { verify } = protocolOf('frost-ed25519')
  const identity = Uint8Array.of(1, ...new Uint8Array(31))
  t.false(verify(identity, PAYLOAD, Uint8Array.of(...identity, ...new Uint8Array(32))))
})

/** Elements that are the identity, or outside the prime-order group, where commitments should be. */
import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import test, { type ExecutionContext } from 'ava'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { ciphersuiteOf, FROST_SCHEMES } from '../../domain/threshold/testing/ciphersuites.ts'
import { contribute, generateKey, insteadOfBroadcast, recover, refresh, type Tamper } from '../../domain/threshold/testing/star.ts'
import { throwsAbort } from '../../domain/threshold/testing/throws-abort.ts'

const DIGEST_BYTES = 32

for (const scheme of FROST_SCHEMES) {
  const protocol = protocolOf(scheme)
  const { elementBytes, Point } = ciphersuiteOf(scheme)
  const keys = generateKey(protocol, { threshold: 3, parties: 4 })
  const { publicPackage } = keys.get(1)!
  const message = protocol.message(utf8ToBytes('pay 5 to carol'))

  /** Changes each of participant 2's elements in turn, in every protocol. */
  const refusesEach = (t: ExecutionContext, change: (element: Uint8Array) => Uint8Array) => {
    const at = (offset: number): Tamper =>
      insteadOfBroadcast(2, 1, (bytes) => {
        const changed = bytes.slice()
        changed.set(change(bytes.subarray(offset, offset + elementBytes)), offset)
        return changed
      })
    const ceremonies: [name: string, offsets: number[], run: (tamper: Tamper) => unknown][] = [
      ['key generation', [0, 1, 2], (tamper) => generateKey(protocol, { threshold: 3, parties: 3 }, { tamper })],
      ['refresh', [0, 1], (tamper) => refresh(protocol, keys, { tamper })],
      ['signing', [0, 1], (tamper) => contribute(protocol, keys, [1, 2, 3], message, tamper)],
    ]
    for (const [name, positions, run] of ceremonies)
      for (const position of positions)
        throwsAbort(t, () => run(at(position * elementBytes)), 'invalid_message', [2], `${name}, ${position}`)
    const recovery = { lost: 4, helpers: [1, 2, 3], publicPackage }
    for (const position of [0, 1, 2])
      throwsAbort(
        t,
        () => recover(protocol, keys, recovery, at(DIGEST_BYTES + position * elementBytes)),
        'invalid_message',
        [2],
        `recovery, ${position}`,
      )
  }

  test(`${scheme}: the identity is no commitment`, (t) => {
    const identity = scheme === 'frost-ed25519' ? Point.ZERO.toBytes() : new Uint8Array(elementBytes)
    refusesEach(t, () => identity)
  })

  if (scheme === 'frost-ed25519') {
    for (const [i, torsion] of ED25519_TORSION_SUBGROUP.entries())
      if (i > 0)
        test(`${scheme}: a commitment shifted by point ${i} of small order is none`, (t) => {
          refusesEach(t, (element) =>
            Point.fromBytes(element)
              .add(Point.fromBytes(hexToBytes(torsion)))
              .toBytes(),
          )
        })

    test(`${scheme}: a point of small order is no commitment`, (t) => {
      refusesEach(t, () => hexToBytes(ED25519_TORSION_SUBGROUP[1]!))
    })
  }
}

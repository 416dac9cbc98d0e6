import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import test, { type ExecutionContext } from 'ava'
import type { ByParty, PartyIndex, ProtocolAbortCode, Transcript } from '../protocol.ts'
import { protocolOf } from '../registry.ts'
import { decodePublicPackage, decodeShare, encodePublicPackage, encodeShare } from '../shared-key/key-material.ts'
import { ciphersuiteOf, FROST_SCHEMES } from '../testing/ciphersuites.ts'
import { contribute, generateKey, insteadOfBroadcast, openAlone, type Tamper } from '../testing/star.ts'
import { throwsAbort } from '../testing/throws-abort.ts'
import { ed25519Ciphersuite } from './ed25519.ts'
import { secp256k1TrCiphersuite } from './secp256k1-tr.ts'

for (const scheme of FROST_SCHEMES) {
  const protocol = protocolOf(scheme)
  const suite = ciphersuiteOf(scheme)
  const { elementBytes, Point } = suite
  const { Fn } = Point
  const message = protocol.message(utf8ToBytes('pay 5 to carol'))
  const keys = generateKey(protocol, { threshold: 2, parties: 3 })
  const { publicPackage, publicKey } = keys.get(1)!
  const task = { key: keys.get(1)!, path: [], signers: [1, 2], message }
  const otherMessage = protocol.message(utf8ToBytes('pay 500 to mallory'))
  const signer = () => openAlone(protocol, keys.get(1)!)
  /** What the first signer is told, with an opening of the second beside what it is said to have opened with itself. */
  const withSecond = (own: Uint8Array): ByParty =>
    new Map([
      [1, own],
      [2, openAlone(protocol, keys.get(2)!).broadcast],
    ])
  const aborts = (t: ExecutionContext, tamper: Tamper, code: ProtocolAbortCode, culprits: PartyIndex[]) =>
    throwsAbort(t, () => contribute(protocol, keys, [1, 2], message, tamper), code, culprits)

  /** An honest signing ceremony of all three up to the aggregation, with something changed. */
  const aggregate = (change: (transcript: Transcript) => Partial<Transcript>) => {
    const signers = [1, 2, 3]
    const { openings, contributions } = contribute(protocol, keys, signers, message)
    const transcript = { publicPackage, path: [], signers, message, broadcasts: openings, contributions }
    return protocol.aggregate({ ...transcript, ...change(transcript) })
  }
  const contributing = (party: PartyIndex, change: (contribution: Uint8Array) => Uint8Array) => (transcript: Transcript) => ({
    contributions: new Map(transcript.contributions).set(party, change(transcript.contributions.get(party)!)),
  })
  const addToShare = (contribution: Uint8Array, summand: bigint) => {
    const share = Fn.toBytes(Fn.add(Fn.fromBytes(contribution.subarray(32)), summand))
    return concatBytes(contribution.subarray(0, 32), share)
  }

  test(`${scheme}: a signer refuses to sign with too few, unknown or repeated signers, or without itself`, (t) => {
    const { openings } = contribute(protocol, keys, [1, 2, 3], message)
    for (const signers of [[1], [1, 1], [1, 2, 2], [0, 1], [1, 4], [1, 1.5], [2, 3]])
      throwsAbort(t, () => signer().contribute({ ...task, signers }, openings), 'invalid_parameters', [])
  })

  test(`${scheme}: a signer signs once`, (t) => {
    const used = signer()
    const openings = withSecond(used.broadcast)
    t.notThrows(() => used.contribute(task, openings))
    throwsAbort(t, () => used.contribute(task, openings), 'out_of_order', [])
    throwsAbort(t, () => used.contribute({ ...task, message: otherMessage }, openings), 'out_of_order', [])
  })

  test(`${scheme}: a signer that refused or was destroyed signs nothing any more`, (t) => {
    const destroyed = signer()
    destroyed.destroy()
    throwsAbort(t, () => destroyed.contribute(task, withSecond(destroyed.broadcast)), 'out_of_order', [])

    const refused = signer()
    throwsAbort(t, () => refused.contribute({ ...task, signers: [1] }, withSecond(refused.broadcast)), 'invalid_parameters', [])
    throwsAbort(t, () => refused.contribute(task, withSecond(refused.broadcast)), 'out_of_order', [])

    const aborted = signer()
    throwsAbort(t, () => aborted.contribute(task, withSecond(flipped(aborted.broadcast))), 'message_altered', [])
    throwsAbort(t, () => aborted.contribute(task, withSecond(aborted.broadcast)), 'out_of_order', [])
  })

  test(`${scheme}: a signer refuses another key, another share and another public package than it was opened with`, (t) => {
    const others = generateKey(protocol, { threshold: 2, parties: 3 })
    for (const key of [
      others.get(1)!,
      keys.get(2)!,
      { share: keys.get(1)!.share, publicPackage: others.get(1)!.publicPackage },
      { share: keys.get(1)!.share.subarray(1), publicPackage },
      { share: Uint8Array.of(...keys.get(1)!.share, 0), publicPackage },
    ]) {
      const opened = signer()
      throwsAbort(t, () => opened.contribute({ ...task, key }, withSecond(opened.broadcast)), 'invalid_key', [])
    }
    throwsAbort(t, () => openAlone(protocol, { share: keys.get(1)!.share, publicPackage: others.get(1)!.publicPackage }), 'invalid_key', [])
  })

  test(`${scheme}: a random source that gives too little is refused`, (t) => {
    throwsAbort(t, () => openAlone(protocol, keys.get(1)!, () => new Uint8Array(16)), 'invalid_parameters', [])
  })

  test(`${scheme}: a signer notices missing and additional commitments, and when its own were altered`, (t) => {
    const change =
      (alter: (broadcasts: Map<PartyIndex, Uint8Array>) => unknown): Tamper =>
      (incoming) => {
        const broadcasts = new Map(incoming.broadcasts)
        alter(broadcasts)
        return { ...incoming, broadcasts }
      }
    aborts(
      t,
      change((broadcasts) => broadcasts.delete(2)),
      'wrong_participants',
      [],
    )
    aborts(
      t,
      change((broadcasts) => broadcasts.delete(1)),
      'wrong_participants',
      [],
    )
    aborts(
      t,
      change((broadcasts) => broadcasts.set(3, broadcasts.get(2)!)),
      'wrong_participants',
      [],
    )
    aborts(
      t,
      change((broadcasts) => broadcasts.set(1, broadcasts.get(2)!)),
      'message_altered',
      [],
    )
  })

  test(`${scheme}: malformed commitments name their sender`, (t) => {
    const identity = scheme === 'frost-ed25519' ? Point.ZERO.toBytes() : new Uint8Array(elementBytes)
    const changes: ((bytes: Uint8Array) => Uint8Array)[] = [
      (bytes) => bytes.subarray(1),
      (bytes) => Uint8Array.of(...bytes, 0),
      (bytes) => concatBytes(identity, bytes.subarray(elementBytes)),
      (bytes) => concatBytes(bytes.subarray(0, elementBytes), identity),
    ]
    for (const change of changes) aborts(t, insteadOfBroadcast(2, 1, change), 'invalid_message', [2])
  })

  test(`${scheme}: aggregation names all whose shares are wrong`, (t) => {
    throwsAbort(t, () => aggregate(contributing(2, (bytes) => addToShare(bytes, 1n))), 'invalid_contribution', [2])
    throwsAbort(
      t,
      () =>
        aggregate((transcript) => ({
          contributions: new Map(
            [...transcript.contributions].map(([party, bytes]) => [party, party === 1 ? bytes : addToShare(bytes, 7n)]),
          ),
        })),
      'invalid_contribution',
      [2, 3],
    )
  })

  test(`${scheme}: aggregation refuses malformed shares`, (t) => {
    const unreduced = (contribution: Uint8Array) => {
      const order = hexToBytes(Fn.ORDER.toString(16).padStart(64, '0'))
      return concatBytes(contribution.subarray(0, 32), Fn.isLE ? order.reverse() : order)
    }
    for (const change of [(bytes: Uint8Array) => bytes.subarray(1), (bytes: Uint8Array) => Uint8Array.of(...bytes, 0), unreduced])
      throwsAbort(t, () => aggregate(contributing(3, change)), 'invalid_contribution', [3])
  })

  test(`${scheme}: a signer that lies about R only costs time`, (t) => {
    const { signature } = aggregate(contributing(1, (bytes) => concatBytes(new Uint8Array(32), bytes.subarray(32))))
    t.true(protocol.verify(publicKey, message, signature))
  })

  test(`${scheme}: a signer that committed to something else than it uses is named`, (t) => {
    const other = signer().broadcast
    throwsAbort(
      t,
      () => {
        // All others were told the false commitment; only its sender used another.
        const { openings, contributions } = contribute(
          protocol,
          keys,
          [1, 2, 3],
          message,
          insteadOfBroadcast(2, 1, () => other),
        )
        protocol.aggregate({
          publicPackage,
          path: [],
          signers: [1, 2, 3],
          message,
          broadcasts: new Map(openings).set(2, other),
          contributions,
        })
      },
      'invalid_contribution',
      [2],
    )
  })

  test(`${scheme}: aggregation wants exactly the signers' words, and nobody else's`, (t) => {
    for (const signers of [[1], [1, 2, 2], [0, 1, 2], [1, 2, 4]])
      throwsAbort(t, () => aggregate(() => ({ signers })), 'invalid_parameters', [])
    throwsAbort(t, () => aggregate(() => ({ signers: [1, 2] })), 'wrong_participants', [])
    throwsAbort(
      t,
      () => aggregate(({ contributions }) => ({ contributions: new Map([...contributions].slice(1)) })),
      'wrong_participants',
      [],
    )
    throwsAbort(t, () => aggregate(({ broadcasts }) => ({ broadcasts: new Map([...broadcasts].slice(1)) })), 'wrong_participants', [])
  })

  test(`${scheme}: a share for one message is no share for another`, (t) => {
    throwsAbort(t, () => aggregate(() => ({ message: otherMessage })), 'invalid_contribution', [1, 2, 3])
  })

  test(`${scheme}: nobody is blamed for a public package that contradicts itself`, (t) => {
    const genuine = decodePublicPackage(suite, publicPackage)
    const stranger = decodePublicPackage(suite, generateKey(protocol, { threshold: 2, parties: 3 }).get(1)!.publicPackage).publicKey
    const contradictory = encodePublicPackage({ ...genuine, publicKey: stranger }, [1, 2, 3].map(genuine.verifyingShare))
    const misled = new Map(
      [...keys].map(([party, key]) => {
        const share = encodeShare(party, decodeShare(suite, key).scalar, contradictory)
        return [party, { ...key, share, publicPackage: contradictory }]
      }),
    )
    const { openings, contributions } = contribute(protocol, misled, [1, 2], message)
    throwsAbort(
      t,
      () => protocol.aggregate({ publicPackage: contradictory, path: [], signers: [1, 2], message, broadcasts: openings, contributions }),
      'invalid_key',
      [],
    )
  })

  test(`${scheme}: a malformed public package is refused`, (t) => {
    const parties = publicPackage.slice()
    parties[2] = 2
    const version = publicPackage.slice()
    version[0] = 0
    const threshold = publicPackage.slice()
    threshold[1] = 4
    const element = publicPackage.slice()
    element.fill(0xff, 35, 35 + elementBytes)
    for (const malformed of [
      new Uint8Array(),
      publicPackage.subarray(1),
      Uint8Array.of(...publicPackage, 0),
      parties,
      version,
      threshold,
      element,
    ])
      throwsAbort(t, () => protocol.inspect(malformed), 'invalid_key', [])
  })
}

test('frost-secp256k1-tr: an uncompressed commitment is refused', (t) => {
  const { Point } = secp256k1TrCiphersuite
  const protocol = protocolOf('frost-secp256k1-tr')
  const keys = generateKey(protocol, { threshold: 2, parties: 2 })
  const uncompress = (bytes: Uint8Array) => concatBytes(bytes.subarray(0, 33), hexToBytes(toHex(bytes.subarray(33))))
  const toHex = (element: Uint8Array) => {
    const { x, y } = Point.fromBytes(element).toAffine()
    return `04${[x, y].map((coordinate) => coordinate.toString(16).padStart(64, '0')).join('')}`
  }
  const message = protocol.message(utf8ToBytes('pay 5 to carol'))
  throwsAbort(t, () => contribute(protocol, keys, [1, 2], message, insteadOfBroadcast(2, 1, uncompress)), 'invalid_message', [2])
})

test('frost-ed25519: nonce commitments outside the prime-order group are refused by signers and blamed in aggregation', (t) => {
  const { Point } = ed25519Ciphersuite
  const protocol = protocolOf('frost-ed25519')
  const keys = generateKey(protocol, { threshold: 2, parties: 2 })
  const message = utf8ToBytes('pay 5 to carol')
  for (const at of [0, 32])
    for (const torsion of ED25519_TORSION_SUBGROUP.slice(1, 8)) {
      const shift = (bytes: Uint8Array) => {
        const changed = bytes.slice()
        changed.set(
          Point.fromBytes(bytes.subarray(at, at + 32))
            .add(Point.fromBytes(hexToBytes(torsion)))
            .toBytes(),
          at,
        )
        return changed
      }
      throwsAbort(t, () => contribute(protocol, keys, [1, 2], message, insteadOfBroadcast(2, 1, shift)), 'invalid_message', [2])
      const { openings, contributions } = contribute(protocol, keys, [1, 2], message)
      throwsAbort(
        t,
        () =>
          protocol.aggregate({
            publicPackage: keys.get(1)!.publicPackage,
            path: [],
            signers: [1, 2],
            message,
            broadcasts: new Map(openings).set(2, shift(openings.get(2)!)),
            contributions: new Map(contributions).set(2, flipped(contributions.get(2)!)),
          }),
        'invalid_message',
        [2],
      )
    }
})

/** Another byte string; as the last 32 bytes it is still a small enough scalar. */
const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length - 16 ? byte ^ 1 : byte))

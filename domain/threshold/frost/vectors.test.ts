import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { secp256k1_hasher } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import type { PartyIndex, RandomBytes } from '../protocol.ts'
import { decodePublicPackage, decodeShare, encodePublicPackage, encodeShare } from '../shared-key/key-material.ts'
import { verifyKnowledge } from '../shared-key/proof-of-knowledge.ts'
import { CEREMONY, generateKey, openAlone } from '../testing/star.ts'
import { VERIFIERS } from '../testing/verifiers.ts'
import bip340Vectors from '../vectors/bip340.json' with { type: 'json' }
import trVectors from '../vectors/frost-secp256k1-tr.json' with { type: 'json' }
import ed25519KeyGeneration from '../vectors/key-generation-ed25519.json' with { type: 'json' }
import trKeyGeneration from '../vectors/key-generation-secp256k1-tr.json' with { type: 'json' }
import rfcEd25519 from '../vectors/rfc9591-ed25519.json' with { type: 'json' }
import rfcSecp256k1 from '../vectors/rfc9591-secp256k1.json' with { type: 'json' }
import type { Ciphersuite } from './ciphersuite.ts'
import { ed25519Ciphersuite } from './ed25519.ts'
import { frost } from './frost.ts'
import { secp256k1TrCiphersuite } from './secp256k1-tr.ts'

type Secp256k1Point = typeof secp256k1TrCiphersuite.Point.BASE

/** FROST(secp256k1, SHA-256) as the RFC has it: no product signs like this, but it shows that the core is the RFC's on this curve too. */
const rfcContext = 'FROST-secp256k1-SHA256-v1'
const rfcHashToScalar = (purpose: string, data: Uint8Array) =>
  secp256k1_hasher.hashToScalar(data, { DST: utf8ToBytes(rfcContext + purpose) })
const rfcSecp256k1Ciphersuite: Ciphersuite<Secp256k1Point> = {
  ...secp256k1TrCiphersuite,
  scheme: 'frost-secp256k1',
  publicBytes: 33,
  hashToScalar: rfcHashToScalar,
  hash: (purpose, data) => sha256(concatBytes(utf8ToBytes(rfcContext + purpose), data)),
  challenge: (R, publicKey, message) => rfcHashToScalar('chal', concatBytes(R.toBytes(), publicKey.toBytes(), message)),
  encodePublic: (point) => point.toBytes(),
  decodePublic: (bytes) => secp256k1TrCiphersuite.Point.fromBytes(bytes),
  isPublicForm: () => true,
  verify: (publicKey, message, signature) => {
    const { Point } = secp256k1TrCiphersuite
    const R = Point.fromBytes(signature.subarray(0, 33))
    const key = Point.fromBytes(publicKey)
    const challenge = rfcHashToScalar('chal', concatBytes(signature.subarray(0, 33), publicKey, message))
    return Point.BASE.multiply(Point.Fn.fromBytes(signature.subarray(33))).equals(R.add(key.multiply(challenge)))
  },
}

signsAsIn(rfcEd25519, ed25519Ciphersuite)
signsAsIn(rfcSecp256k1, rfcSecp256k1Ciphersuite)
// The stored signature carries the prefix of a compressed point before the 64 bytes that BIP-340 knows.
signsAsIn({ ...trVectors, signature: trVectors.signature.slice(2) }, secp256k1TrCiphersuite)

function signsAsIn<P extends CurvePoint<bigint, P>>(vectors: typeof rfcEd25519, suite: Ciphersuite<P>): void {
  test(`signs as in ${vectors.source}`, (t) => {
    const { Point } = suite
    const protocol = frost(suite)
    const { threshold, parties, signers } = vectors
    const message = hexToBytes(vectors.message)
    const shares = vectors.shares.map(hexToBytes)
    const verifyingShares = shares.map((share) => Point.BASE.multiply(Point.Fn.fromBytes(share)))
    const publicKey = Point.fromBytes(hexToBytes(vectors.publicKey))
    const chainCode = new Uint8Array(32)
    const publicPackage = encodePublicPackage({ threshold, parties, chainCode, publicKey }, verifyingShares)
    const opened = vectors.outputs.map((output) => {
      const key = { share: encodeShare(output.signer, shares[output.signer - 1]!, publicPackage), publicPackage }
      return { ...output, key, opening: openAlone(protocol, key, saying(output.hidingRandomness, output.bindingRandomness)) }
    })
    for (const { opening, hidingCommitment, bindingCommitment } of opened)
      t.is(bytesToHex(opening.broadcast), hidingCommitment + bindingCommitment)

    const openings = new Map(opened.map(({ signer, opening }) => [signer, opening.broadcast]))
    const contributions = new Map<PartyIndex, Uint8Array>()
    for (const { signer, key, opening, signatureShare } of opened) {
      const contribution = opening.contribute({ key, path: [], signers, message }, openings)
      t.is(bytesToHex(contribution.subarray(suite.publicBytes)), signatureShare)
      contributions.set(signer, contribution)
    }
    const { signature } = protocol.aggregate({ publicPackage, path: [], signers, message, broadcasts: openings, contributions })
    t.is(bytesToHex(signature), vectors.signature)
  })
}

generatesKeyAsIn(ed25519KeyGeneration, ed25519Ciphersuite)
generatesKeyAsIn(trKeyGeneration, secp256k1TrCiphersuite)

function generatesKeyAsIn<P extends CurvePoint<bigint, P>>(vectors: typeof ed25519KeyGeneration, suite: Ciphersuite<P>): void {
  const { Point } = suite
  const { Fn } = Point

  test(`accepts the proofs of knowledge of ${vectors.source}`, (t) => {
    for (const { prover, proof } of vectors.proofs) {
      const [commitment] = vectors.participants[prover - 1]!.commitments
      const statement = { prover, element: Point.fromBytes(hexToBytes(commitment!)), context: new Uint8Array() }
      t.notThrows(() => verifyKnowledge(suite, statement, hexToBytes(proof)))
      t.throws(() => verifyKnowledge(suite, { ...statement, prover: 1 }, hexToBytes(proof)))
      t.throws(() => verifyKnowledge(suite, { ...statement, context: CEREMONY }, hexToBytes(proof)))
    }
  })

  test(`generates the share and the key of ${vectors.source}`, (t) => {
    const { threshold, parties, outcome } = vectors
    const keys = generateKey(
      frost(suite),
      { threshold, parties },
      {
        randomOf: (party) => drawing(...vectors.participants[party - 1]!.coefficients),
        tamper: (incoming, { round, to }) => {
          if (round === 1)
            vectors.participants.forEach(({ commitments }, i) => {
              t.true(bytesToHex(incoming.broadcasts.get(i + 1)!).startsWith(commitments.join('')))
            })
          if (round === 2 && to === outcome.participant)
            for (const { from, share } of outcome.receives) t.is(bytesToHex(incoming.secrets.get(from)!), share)
          return incoming
        },
      },
    )
    const key = keys.get(outcome.participant)!
    const { publicKey, verifyingShare } = decodePublicPackage(suite, key.publicPackage)
    const share = Fn.fromBytes(decodeShare(suite, key).scalar)

    // The vectors leave a key with an odd y as it is; here it is stored in its public form, which negates key and shares alike.
    const theirKey = Point.fromBytes(hexToBytes(outcome.publicKey))
    const negated = !suite.isPublicForm(theirKey)
    const asTheirs = (point: P) => bytesToHex((negated ? point.negate() : point).toBytes())
    t.is(asTheirs(publicKey), outcome.publicKey)
    t.is(asTheirs(verifyingShare(outcome.participant)), outcome.verifyingShare)
    t.is(bytesToHex(Fn.toBytes(negated ? Fn.neg(share) : share)), outcome.share)
  })

  /** A random source that makes the polynomial have these coefficients; whatever is drawn after them is arbitrary. */
  function drawing(...coefficients: string[]): RandomBytes {
    const wanted = coefficients.map((hex) => Fn.fromBytes(hexToBytes(hex)) - 1n)
    return (length) => {
      const bytes = new Uint8Array(length)
      bytes.set(Fn.toBytes(wanted.shift() ?? 41n), Fn.isLE ? 0 : length - Fn.BYTES)
      return bytes
    }
  }
}

for (const { index, publicKey, message, signature, valid, comment } of bip340Vectors.vectors)
  test(`BIP-340 vector ${index} ${valid ? 'verifies' : 'does not verify'}${comment && `: ${comment}`}`, (t) => {
    const inputs = [publicKey, message, signature].map(hexToBytes) as [Uint8Array, Uint8Array, Uint8Array]
    t.is(secp256k1TrCiphersuite.verify(...inputs), valid)
    t.is(VERIFIERS['frost-secp256k1-tr'](...inputs), valid)
  })

/** A random source that says these things, in this order. */
function saying(...words: string[]): RandomBytes {
  const rest = words.map(hexToBytes)
  return () => rest.shift()!
}

/**
 * Many sessions are opened at once, and a signer that speaks last chooses its commitments and the messages so that the shares it gets for
 * them add up to a signature of a message nobody wanted: Drijvers et al., "On the Security of Two-Round Multi-Signatures", in the form that
 * takes no time, Benhamouda et al., "On the (in)security of ROS". It works wherever nonces are not bound to the session; FROST's binding
 * factors are what stops it.
 */
import { setImmediate } from 'node:timers/promises'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import type { Ciphersuite } from '../../domain/threshold/frost/ciphersuite.ts'
import { frost } from '../../domain/threshold/frost/frost.ts'
import { decodeNonceCommitment, encodeNonceCommitment, groupCommitment } from '../../domain/threshold/frost/group-commitment.ts'
import type { Opened, ThresholdProtocol } from '../../domain/threshold/protocol.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { decodePublicPackage, decodeShare } from '../../domain/threshold/shared-key/key-material.ts'
import { interpolatingValue } from '../../domain/threshold/shared-key/polynomial.ts'
import { ciphersuiteOf, FROST_SCHEMES } from '../../domain/threshold/testing/ciphersuites.ts'
import { generateKey, openAlone } from '../../domain/threshold/testing/star.ts'
import { VERIFIERS } from '../../domain/threshold/testing/verifiers.ts'

type Suite = ReturnType<typeof ciphersuiteOf>
type Point = Suite['Point']['BASE']

const VICTIM = 1
const ATTACKER = 2
const SIGNERS = [VICTIM, ATTACKER]
const WANTED = utf8ToBytes('pay everything to mallory')

for (const scheme of FROST_SCHEMES) {
  test(`${scheme}: with binding factors the shares of many sessions add up to no further signature`, async (t) => {
    await resultsReported()
    const { publicKey, signature } = attack(ciphersuiteOf(scheme), protocolOf(scheme))
    t.false(verifies(scheme, publicKey, signature))
  })

  test(`${scheme}: the same attack forges a signature when the binding factors are taken out`, async (t) => {
    await resultsReported()
    const unbound = withoutBinding(ciphersuiteOf(scheme))
    const { publicKey, signature } = attack(unbound, frost(unbound))
    t.true(verifies(scheme, publicKey, signature))
  })

  test(`${scheme}: each signer's binding factor depends on key, message, signers and every commitment`, async (t) => {
    await resultsReported()
    const suite = ciphersuiteOf(scheme)
    const { BASE } = suite.Point
    const publicPackage = decodePublicPackage(suite, generateKey(protocolOf(scheme), { threshold: 2, parties: 3 }).get(1)!.publicPackage)
    const commitments = new Map(
      [1, 2, 3].map((party) => [party, { hiding: BASE.multiply(BigInt(party + 1)), binding: BASE.multiply(BigInt(party + 7)) }]),
    )
    const changed = (party: number, part: 'hiding' | 'binding') =>
      new Map(commitments).set(party, { ...commitments.get(party)!, [part]: commitments.get(party)![part].add(BASE) })
    const exchanged = new Map(commitments).set(1, commitments.get(2)!).set(2, commitments.get(1)!)
    const message = utf8ToBytes('pay 5 to carol')
    const factorsOf = (...[key, heard, said]: [typeof publicPackage, typeof commitments, Uint8Array]) =>
      groupCommitment(suite, key, heard, said).bindingFactors
    const genuine = factorsOf(publicPackage, commitments, message)
    t.is(new Set(genuine.values()).size, 3)
    const variants = [
      factorsOf(publicPackage, commitments, utf8ToBytes('pay 6 to carol')),
      factorsOf({ ...publicPackage, publicKey: BASE }, commitments, message),
      factorsOf(publicPackage, new Map([...commitments].slice(0, 2)), message),
      factorsOf(publicPackage, exchanged, message),
      ...[1, 2, 3]
        .flatMap((party) => [changed(party, 'hiding'), changed(party, 'binding')])
        .map((heard) => factorsOf(publicPackage, heard, message)),
    ]
    for (const variant of variants) for (const [party, factor] of variant) t.not(factor, genuine.get(party))
  })
}

/** A session that the victim has opened, and the two ways in which the attacker may go on with it. */
type Session = { opened: Opened; choices: readonly [Choice, Choice] }
type Choice = { message: Uint8Array; openings: ReadonlyMap<number, Uint8Array>; challenge: bigint; nonce: Point }

/** What the attacker ends up with: a signature of `WANTED`, if the attack works. The victim signs other messages only. */
function attack(suite: Suite, protocol: ThresholdProtocol): { publicKey: Uint8Array; signature: Uint8Array } {
  const { Fn, ZERO } = suite.Point
  const keys = generateKey(protocol, { threshold: 2, parties: 2 })
  const key = keys.get(VICTIM)!
  const publicPackage = decodePublicPackage(suite, key.publicPackage)

  // As many sessions as the order has bits, all open at once.
  const sessions = Array.from({ length: Fn.BITS }, (_, i): Session => {
    const opened = openAlone(protocol, key)
    const choose = (bit: number) =>
      choiceFor(suite, publicPackage, opened.broadcast, protocol.message(utf8ToBytes(`pay 1 to bob, order ${i}, ${bit}`)))
    return { opened, choices: [choose(0), choose(1)] }
  })

  // The linear combination that is 2^i or 0 in session i, by which of the two challenges is used, up to a constant.
  const weights = sessions.map(({ choices: [zero, one] }, i) => Fn.div(Fn.create(2n ** BigInt(i)), Fn.sub(one.challenge, zero.challenge)))
  const constant = sum(
    Fn,
    sessions.map(({ choices: [zero] }, i) => Fn.mul(weights[i]!, zero.challenge)),
  )

  // The victim's nonces, as far as they can be foreseen, combined likewise; the challenge that this demands; the bits that give it.
  const combined = sessions.reduce((total, { choices: [zero] }, i) => total.add(zero.nonce.multiplyUnsafe(weights[i]!)), ZERO)
  const negated = !suite.isPublicForm(combined)
  const R = negated ? combined.negate() : combined
  const challenge = suite.challenge(R, publicPackage.publicKey, protocol.message(WANTED))
  const bits = Fn.sub(negated ? Fn.neg(challenge) : challenge, constant)

  const shares = sessions.map(({ opened, choices }, i) => {
    const { message, openings } = choices[Number((bits >> BigInt(i)) & 1n)]!
    const contribution = opened.contribute({ key, path: [], signers: SIGNERS, message }, openings)
    return Fn.mul(weights[i]!, Fn.fromBytes(contribution.subarray(suite.publicBytes)))
  })
  const ofVictim = sum(Fn, shares)
  const ownShare = Fn.fromBytes(decodeShare(suite, keys.get(ATTACKER)!).scalar)
  const own = Fn.mul(challenge, Fn.mul(interpolatingValue(Fn, SIGNERS, ATTACKER), ownShare))
  const response = Fn.add(negated ? Fn.neg(ofVictim) : ofVictim, own)
  return { publicKey: key.publicKey, signature: concatBytes(suite.encodePublic(R), Fn.toBytes(response)) }
}

/** Commitments of the attacker, varied until the nonces do not have to be negated, and what comes of them. */
function choiceFor(
  suite: Suite,
  publicPackage: ReturnType<typeof decodePublicPackage<Point>>,
  opening: Uint8Array,
  message: Uint8Array,
): Choice {
  const { BASE } = suite.Point
  const victim = decodeNonceCommitment(suite, opening)
  let ownCommitment = { hiding: BASE, binding: BASE }
  for (;;) {
    const commitments = new Map([
      [VICTIM, victim],
      [ATTACKER, ownCommitment],
    ])
    const { negated, challenge, bindingFactors } = groupCommitment(suite, publicPackage, commitments, message)
    if (!negated) {
      const nonce = victim.hiding.add(victim.binding.multiplyUnsafe(bindingFactors.get(VICTIM)!))
      const openings = new Map([
        [VICTIM, opening],
        [ATTACKER, encodeNonceCommitment(ownCommitment)],
      ])
      return { message, openings, challenge, nonce }
    }
    ownCommitment = { ...ownCommitment, hiding: ownCommitment.hiding.add(BASE) }
  }
}

/** Two nonces that are simply added: what a two-round scheme without binding factors does. */
const withoutBinding = (suite: Suite): Suite =>
  ({
    ...suite,
    hashToScalar: (purpose, data) => (purpose === 'rho' ? 1n : suite.hashToScalar(purpose, data)),
  }) satisfies Ciphersuite<Point>

const sum = (field: Suite['Point']['Fn'], summands: readonly bigint[]) => summands.reduce((total, summand) => field.add(total, summand), 0n)

const verifies = (scheme: Scheme, publicKey: Uint8Array, signature: Uint8Array) =>
  VERIFIERS[scheme](publicKey, protocolOf(scheme).message(WANTED), signature)

/** Takes a turn of the event loop: results of tests that compute for long are seen as they come in. */
const resultsReported = () => setImmediate()

/** A signer that keeps to the protocol except where a test says otherwise, and knows all that it is entitled to know. */
import { concatBytes } from '@noble/hashes/utils.js'
import type { KeyMaterial, Opened, Outgoing, PartyIndex, RandomBytes } from '../../protocol.ts'
import { interpolatingValue } from '../../shared-key/polynomial.ts'
import { rng } from '../../testing/star.ts'
import { commit } from '../commitment.ts'
import { ask, askScalar } from '../hashing.ts'
import { decodeShare } from '../key-material.ts'
import { multiplyAsAlice, multiplyAsBob } from '../multiplication.ts'
import { decodeSetup } from '../pairwise-setup.ts'
import { presign } from '../presigning.ts'
import { type Element, suite } from '../suite.ts'
import { zeroShare } from '../zero-sharing.ts'

const { Point } = suite
const { Fn, BASE } = Point

const VICTIM = 1
const INSIDER = 2
const SIGNERS = [VICTIM, INSIDER]
const ECHO_BYTES = 32
const CONTEXT = new TextEncoder().encode('opening 1')

/** What the insider says and does; each step is given what honesty would have it be. */
export type Deviation = {
  /** What it multiplies with. */
  inputs?(honest: { r: bigint; sk: bigint }): { r: bigint; sk: bigint }
  /** What it commits to and shows. */
  shown?(honest: { R: Element; pk: Element }): { R: Element; pk: Element }
  gammas?(honest: { u: Element; v: Element }): { u: Element; v: Element }
}

const sessionOf = (packageDigest: Uint8Array) => ask('presigning/session', 32, packageDigest, SIGNERS.length, ...SIGNERS, CONTEXT)

/** r of the victim, when it draws `random`: what only a test can know. */
export function nonceOfVictim(keys: ReadonlyMap<PartyIndex, KeyMaterial>, random: RandomBytes): bigint {
  const { scalar, packageDigest } = decodeShare(keys.get(VICTIM)!)
  return askScalar('presigning/nonce', 'r', sessionOf(packageDigest), scalar, random(32))
}

/**
 * Opens with the victim, participant 1 of a 2-of-2 key, against which the insider, participant 2, deviates; `random` is what the victim draws.
 * Throws what the victim throws.
 */
export function openWithInsider(keys: ReadonlyMap<PartyIndex, KeyMaterial>, deviation: Deviation = {}, random: RandomBytes = rng) {
  const key = keys.get(INSIDER)!
  const { scalar, packageDigest, setups } = decodeShare(key)
  const { asAlice, asBob, zeroSeed } = decodeSetup(setups.get(VICTIM)!)
  const sid = sessionOf(packageDigest)
  const multiplication = (bob: PartyIndex, alice: PartyIndex) => ask('presigning/multiplication', 32, sid, bob, alice)

  const victim = presign({ key: keys.get(VICTIM)!, signers: SIGNERS, context: CONTEXT, rng: random })
  const bob = multiplyAsBob({ sid: multiplication(INSIDER, VICTIM), seeds: asBob, rng })
  const r = Fn.fromBytes(new Uint8Array(32).map((_, i) => i + 1))
  const phi = Fn.fromBytes(new Uint8Array(32).map((_, i) => 100 - i))
  const sk = Fn.add(
    Fn.mul(interpolatingValue(Fn, SIGNERS, INSIDER), Fn.fromBytes(scalar)),
    zeroShare(INSIDER, new Map([[VICTIM, zeroSeed]]), sid),
  )
  const honest = { R: BASE.multiply(r), pk: BASE.multiply(sk) }
  const shown = deviation.shown?.(honest) ?? honest
  const { commitment, decommitment } = commit({ sid, committer: INSIDER }, shown.R.toBytes(), rng)
  const second = hear(victim.next({ broadcasts: said(victim.opening, commitment), secrets: new Map([[INSIDER, bob.message]]) }))

  const inputs = deviation.inputs?.({ r, sk }) ?? { r, sk }
  const { reply, outputs } = multiplyAsAlice(
    { sid: multiplication(VICTIM, INSIDER), seeds: asAlice, inputs: [inputs.r, inputs.sk], rng },
    victim.opening.secret.get(INSIDER)!,
  )
  const results = { u: BASE.multiply(outputs[0]), v: BASE.multiply(outputs[1]) }
  const gammas = deviation.gammas?.(results) ?? results
  const echo = second.broadcast.subarray(0, ECHO_BYTES)
  const opened = victim.next({
    broadcasts: said(second, concatBytes(echo, decommitment, shown.pk.toBytes())),
    secrets: new Map([[INSIDER, concatBytes(gammas.u.toBytes(), gammas.v.toBytes(), Fn.toBytes(Fn.sub(phi, bob.chi)), reply)]]),
  })
  if (opened.kind !== 'done') throw new Error('the victim has opened after two rounds')
  return opened.result
}

const said = (outgoing: Outgoing, insiders: Uint8Array) =>
  new Map([
    [VICTIM, outgoing.broadcast],
    [INSIDER, insiders],
  ])

function hear(step: { kind: 'message'; outgoing: Outgoing } | { kind: 'done'; result: Opened }): Outgoing {
  if (step.kind !== 'message') throw new Error('the victim speaks twice')
  return step.outgoing
}

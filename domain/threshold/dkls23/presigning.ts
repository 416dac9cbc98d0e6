import {
  type ByParty,
  type Opened,
  type Participant,
  type PartyIndex,
  ProtocolAbort,
  type RandomBytes,
  type SigningKey,
} from '../protocol.ts'
import { conduct, judgeEach, readEach, requireAgreement } from '../rounds.ts'
import { decodePublicPackage } from '../shared-key/key-material.ts'
import { decodeElement, draw, toAffine } from '../shared-key/key-suite.ts'
import { interpolatingValue } from '../shared-key/polynomial.ts'
import { requireSigners } from '../shared-key/signers.ts'
import { COMMITMENT_BYTES, commit, decommit } from './commitment.ts'
import { ask, askScalar } from './hashing.ts'
import { decodeShare } from './key-material.ts'
import { multiplyAsAlice, multiplyAsBob } from './multiplication.ts'
import { decodeSetup } from './pairwise-setup.ts'
import { ECHO_BYTES, encodeAdjustment, encodeRevealed, readAdjustments, readRevealed } from './presigning-messages.ts'
import { requireProductsOf } from './product-check.ts'
import { timesGenerator } from './secret-multiples.ts'
import { opened } from './signing.ts'
import { type Element, suite } from './suite.ts'
import { zeroShare } from './zero-sharing.ts'

/** How often each signer speaks. */
export const PRESIGNING_ROUNDS = 2

const { Point } = suite
const { Fn } = Point

/**
 * The first two rounds of signing, protocol 3.6 of the paper, which depend on no message. The key is shared additively among the signers: sk_i
 * is a signer's Shamir share times its Lagrange coefficient, plus a share of zero. Each has a share r_i of the nonce and a mask phi_i of its own.
 *
 * 1. Each signer commits to R_i = r_i·G, and begins a multiplication as Bob with each other, of chi, random, by the other's r and sk.
 * 2. It echoes the hash of all commitments it was told, and reveals R_i and pk_i = sk_i·G. To each other, as Alice, it gives its answer to the
 *    multiplication, the commitments Gamma to its own results c, and psi = phi_i − chi.
 *
 * Then chi·R_j − Gamma_u = d_u·G and chi·pk_j − Gamma_v = d_v·G show that the other has multiplied the r_j that is in R and the sk_j that is
 * in the public key; else it could shift them by what it likes. What is left adds up: all u_i to r·phi, all v_i to sk·phi.
 */
export function presign(options: {
  key: SigningKey
  signers: readonly PartyIndex[]
  context: Uint8Array
  rng: RandomBytes
}): Participant<Opened> {
  const { key, context, rng } = options
  const { self, scalar, setups, ...decoded } = decodeShare(key)
  // The caller wipes the share when this returns.
  const packageDigest = new Uint8Array(decoded.packageDigest)
  const publicPackage = decodePublicPackage(suite, key.publicPackage)
  const signers = requireSigners(options.signers, publicPackage)
  if (!signers.includes(self) || context.length === 0)
    throw new ProtocolAbort('invalid_parameters', 'this participant is not among the signers, or there is no context')
  const others = signers.filter((party) => party !== self)
  const missing = others.filter((party) => !setups.has(party))
  if (missing.length > 0)
    throw new ProtocolAbort('setup_missing', `the share has no set-up with participants ${missing.join(', ')}`, missing)

  const secrets: Uint8Array[] = []
  const keep = (secret: Uint8Array) => {
    secrets.push(secret)
    return secret
  }
  const keepScalar = (value: bigint) => keep(Fn.toBytes(value))

  const sid = ask('presigning/session', 32, packageDigest, signers.length, ...signers, context)
  const share = keep(new Uint8Array(scalar))
  const setupWith = new Map(others.map((other) => [other, decodeSetup(keep(new Uint8Array(setups.get(other)!)))]))
  const [r, phi] = ['r', 'phi'].map((name) => keepScalar(secretScalar(name, sid, share, rng)))
  const R = timesGenerator(Fn.fromBytes(r!))
  const committed = commit({ sid, committer: self }, R.toBytes(), rng)
  const multiplication = (bob: PartyIndex, alice: PartyIndex) => ask('presigning/multiplication', 32, sid, bob, alice)
  const asBob = new Map(
    others.map((other) => [other, multiplyAsBob({ sid: multiplication(self, other), seeds: setupWith.get(other)!.asBob, rng })]),
  )
  const asAlice = new Map<PartyIndex, readonly [u: Uint8Array, v: Uint8Array]>()

  let commitments: ByParty
  let echo: Uint8Array
  let sk: Uint8Array

  return conduct<Opened>({
    self,
    participants: signers,
    opening: { broadcast: committed.commitment, secret: new Map([...asBob].map(([other, { message }]) => [other, message.slice()])) },
    wipe: () => {
      for (const secret of secrets) secret.fill(0)
      for (const bob of asBob.values()) bob.destroy()
    },
    stages: [
      {
        secretsFrom: others,
        hear: ({ broadcasts, secrets: messages }) => {
          commitments = readEach(broadcasts, 'invalid_message', (bytes) => {
            if (bytes.length !== COMMITMENT_BYTES) throw new Error('a commitment is expected')
            return bytes
          })
          echo = ask('presigning/echo', ECHO_BYTES, sid, ...signers.map((party) => broadcasts.get(party)!))
          const zeroSeeds = new Map([...setupWith].map(([other, { zeroSeed }]) => [other, zeroSeed]))
          const additive = Fn.mul(interpolatingValue(Fn, signers, self), Fn.fromBytes(share))
          sk = keepScalar(Fn.add(additive, zeroShare(self, zeroSeeds, sid)))
          const multiplied = judgeEach(messages, (message, from) =>
            multiplyAsAlice(
              { sid: multiplication(from, self), seeds: setupWith.get(from)!.asAlice, inputs: [Fn.fromBytes(r!), Fn.fromBytes(sk)], rng },
              message,
            ),
          )
          const outputs = [...multiplied.values()].flatMap(({ outputs }) => outputs)
          const [pk, ...gammas] = [Fn.fromBytes(sk), ...outputs].map(timesGenerator)
          const secret = new Map(
            [...multiplied].map(([other, { reply, outputs }], i) => {
              asAlice.set(other, [keepScalar(outputs[0]), keepScalar(outputs[1])])
              const psi = Fn.sub(Fn.fromBytes(phi!), asBob.get(other)!.chi)
              return [other, encodeAdjustment({ gammas: [gammas[2 * i]!, gammas[2 * i + 1]!], psi, reply })]
            }),
          )
          const broadcast = encodeRevealed({ echo, decommitment: committed.decommitment, pk: pk! })
          return { kind: 'message', outgoing: { broadcast, secret } }
        },
      },
      {
        secretsFrom: others,
        hear: ({ broadcasts, secrets: messages }) => {
          const revealed = readRevealed(broadcasts)
          requireAgreement(new Map([...revealed].map(([party, said]) => [party, said.echo])), echo, 'equivocation')
          const nonces = judgeEach(revealed, ({ decommitment }, committer) => {
            const value = decommit({ sid, committer }, commitments.get(committer)!, decommitment)
            return committer === self ? R : readElement(value)
          })
          const adjustments = readAdjustments(messages)
          const products = judgeEach(adjustments, ({ gammas, reply }, from) => {
            const bob = asBob.get(from)!
            const shares = bob.finish(reply)
            requireProductsOf([nonces.get(from)!, revealed.get(from)!.pk], { chi: bob.chi, gammas, shares }, rng)
            return shares
          })
          const publicKey = [...revealed.values()].reduce((sum, said) => sum.add(said.pk), Point.ZERO)
          if (!publicKey.equals(publicPackage.publicKey))
            throw new ProtocolAbort('invalid_contribution', 'what the signers multiply does not add up to the key')
          const nonce = [...nonces.values()].reduce((sum, share) => sum.add(share), Point.ZERO)
          if (nonce.is0()) throw new ProtocolAbort('invalid_message', 'the nonce is the identity')

          const mask = [...adjustments.values()].reduce((sum, { psi }) => Fn.add(sum, psi), Fn.fromBytes(phi!))
          /** What this signer holds of one of its factors times phi: the product with its own mask, and its shares of those with the others. */
          const timesPhi = (factor: Uint8Array, which: 0 | 1) =>
            others.reduce(
              (sum, other) => Fn.add(sum, Fn.add(Fn.fromBytes(asAlice.get(other)![which]), products.get(other)![which])),
              Fn.mul(Fn.fromBytes(factor), mask),
            )
          const transcript = ask('presigning/transcript', 32, sid, echo, ...signers.map((party) => broadcasts.get(party)!))
          const result = opened({
            self,
            signers,
            packageDigest,
            presignature: { R: toAffine(suite, nonce)[0]!, transcript },
            u: Fn.toBytes(timesPhi(r!, 0)),
            v: Fn.toBytes(timesPhi(sk, 1)),
            phi: new Uint8Array(phi!),
          })
          return { kind: 'done', result }
        },
      },
    ],
  })
}

/** Depends on the share too: a bad random source alone does not give it away. */
function secretScalar(name: string, sid: Uint8Array, share: Uint8Array, rng: RandomBytes): bigint {
  const random = draw(rng, 32)
  const scalar = askScalar('presigning/nonce', name, sid, share, random)
  random.fill(0)
  return scalar
}

function readElement(bytes: Uint8Array): Element {
  try {
    return decodeElement(suite, bytes)
  } catch {
    throw new ProtocolAbort('invalid_message', 'what was committed to is no element')
  }
}

import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import type { KeyMaterial, Participant, PartyIndex, RandomBytes, Threshold } from '../protocol.ts'
import { conduct, requireAgreement } from '../rounds.ts'
import { addUp, deal, readDealings, readValues, type SharedPolynomial } from '../shared-key/dealing.ts'
import { domain, type KeySuite } from '../shared-key/key-suite.ts'

/** How often each participant speaks. */
export const JOINT_SHARING_ROUNDS = 3

/**
 * All participants share a polynomial of degree threshold − 1 that nobody knows: the sum of a random one of each. Over a carrier that is not
 * trusted to broadcast,
 *
 * 1. each participant commits to its coefficients and proves that it knows them;
 * 2. it echoes the hash of all commitments it was told, and gives each other participant its value of the polynomial, in private;
 * 3. it confirms the hash of everything that came out; only when all agree is there a result.
 */
export function jointSharing<P extends CurvePoint<bigint, P>>(
  suite: KeySuite<P>,
  sharing: Threshold & {
    purpose: 'key-generation' | 'refresh'
    constantTerm: 'random' | 'zero'
    self: PartyIndex
    /** Names the ceremony, the threshold and the participants. */
    context: Uint8Array
    rng: RandomBytes
    /** Makes key material of the polynomial; what is confirmed in the third round is its public package. `echo` is the hash of what all have seen. */
    conclude(polynomial: SharedPolynomial<P>, echo: Uint8Array): KeyMaterial
    /** Called when the participant ends, however it does. */
    wipe?(): void
  },
): Participant<KeyMaterial> {
  const { purpose, self, parties, context, conclude } = sharing
  const { Fn } = suite.Point
  const participants = Array.from({ length: parties }, (_, i) => i + 1)
  const others = participants.filter((party) => party !== self)
  const dealing = deal(suite, sharing)

  let polynomials: ReadonlyMap<PartyIndex, readonly P[]>
  let echo: Uint8Array
  let material: KeyMaterial | undefined

  return conduct<KeyMaterial>({
    self,
    participants,
    opening: { broadcast: dealing.broadcast, secret: new Map() },
    wipe: () => {
      dealing.wipe()
      material?.share.fill(0)
      sharing.wipe?.()
    },
    stages: [
      {
        secretsFrom: [],
        hear: ({ broadcasts }) => {
          const heard = readDealings(suite, new Map(others.map((party) => [party, broadcasts.get(party)!])), sharing)
          polynomials = heard.set(self, dealing.polynomial)
          echo = sha256(concatBytes(domain(suite, `${purpose}/echo`), context, ...participants.map((party) => broadcasts.get(party)!)))
          const secret = new Map(others.map((party) => [party, Fn.toBytes(dealing.valueFor(party))]))
          return { kind: 'message', outgoing: { broadcast: echo, secret } }
        },
      },
      {
        secretsFrom: others,
        hear: ({ broadcasts, secrets }) => {
          requireAgreement(broadcasts, echo, 'equivocation')
          const received = readValues(suite, secrets, polynomials, self)
          material = conclude(addUp(suite, polynomials, [dealing.valueFor(self), ...received.values()]), echo)
          const confirmation = sha256(concatBytes(domain(suite, `${purpose}/confirmation`), echo, material.publicPackage))
          return { kind: 'message', outgoing: { broadcast: confirmation, secret: new Map() } }
        },
      },
      {
        secretsFrom: [],
        hear: ({ broadcasts }) => {
          requireAgreement(broadcasts, broadcasts.get(self)!, 'package_mismatch')
          const result = material!
          material = undefined
          return { kind: 'done', result }
        },
      },
    ],
  })
}

import { concatBytes } from '@noble/hashes/utils.js'
import type { ByParty, KeyMaterial, Participant, PartyIndex, RandomBytes, Threshold } from '../protocol.ts'
import { conduct, judgeEach, readEach, requireAgreement } from '../rounds.ts'
import { addUp, deal, dealingBytes, readDealings, readValues, type SharedPolynomial } from '../shared-key/dealing.ts'
import { COMMITMENT_BYTES, commit, decommit, SALT_BYTES } from './commitment.ts'
import { ask } from './hashing.ts'
import { encodeShare } from './key-material.ts'
import { setUpWith } from './pairwise-setup.ts'
import { type Element, suite } from './suite.ts'

/** How often each participant speaks. */
export const JOINT_SHARING_ROUNDS = 4

const ECHO_BYTES = 32
const VALUE_BYTES = 32

/**
 * All participants share a polynomial that nobody knows or can bend: the sum of a random one of each, all of which are committed to before any
 * is shown (section 7 of the paper). In the same rounds every two of them set up what they multiply with later.
 *
 * 1. Each participant commits to its polynomial in the exponent, with proofs, and to its parts of the pairwise seeds;
 * 2. it echoes the hash of all commitments it was told, reveals the polynomial in the exponent, and makes each other participant an offer;
 * 3. it echoes the hash of all that was revealed, gives each other its value of the polynomial, and answers its offer;
 * 4. it confirms the public package that came out; only when all agree is there a result.
 */
export function jointSharing(
  sharing: Threshold & {
    constantTerm: 'random' | 'zero'
    self: PartyIndex
    /** Names the ceremony, the threshold and the participants. */
    sid: Uint8Array
    rng: RandomBytes
    /** Makes key material of the polynomial, without pairwise set-ups. `echo` is the hash of all that was revealed. */
    conclude(polynomial: SharedPolynomial<Element>, echo: Uint8Array): KeyMaterial
    /** Called when the participant ends, however it does. */
    wipe?(): void
  },
): Participant<KeyMaterial> {
  const { self, threshold, parties, constantTerm, sid, rng, conclude } = sharing
  const { Fn } = suite.Point
  const participants = Array.from({ length: parties }, (_, i) => i + 1)
  const others = participants.filter((party) => party !== self)
  const terms = { threshold, constantTerm, context: sid }
  const dealing = deal(suite, { ...terms, self, rng })
  const committed = commit({ sid, committer: self }, dealing.broadcast, rng)
  const settingUp = new Map(others.map((other) => [other, setUpWith(other, { self, sid, rng })]))

  const ofOthers = (messages: ByParty) => new Map(others.map((party) => [party, messages.get(party)!]))
  const echoOf = (round: number, broadcasts: ByParty) =>
    ask('joint-sharing/echo', ECHO_BYTES, sid, round, ...participants.map((party) => broadcasts.get(party)!))

  let commitments: ByParty
  let polynomials: ReadonlyMap<PartyIndex, readonly Element[]>
  let echo: Uint8Array
  let material: KeyMaterial | undefined

  return conduct<KeyMaterial>({
    self,
    participants,
    opening: {
      broadcast: concatBytes(committed.commitment, ...[...settingUp.values()].map(({ commitment }) => commitment)),
      secret: new Map(),
    },
    wipe: () => {
      dealing.wipe()
      for (const setup of settingUp.values()) setup.wipe()
      material?.share.fill(0)
      sharing.wipe?.()
    },
    stages: [
      {
        secretsFrom: [],
        hear: ({ broadcasts }) => {
          commitments = readEach(broadcasts, 'invalid_message', (bytes) => {
            if (bytes.length !== parties * COMMITMENT_BYTES) throw new Error('a commitment to the polynomial and to each seed is expected')
            return bytes
          })
          echo = echoOf(1, broadcasts)
          const secret = new Map([...settingUp].map(([other, { offer }]) => [other, offer]))
          return { kind: 'message', outgoing: { broadcast: concatBytes(echo, committed.decommitment), secret } }
        },
      },
      {
        secretsFrom: others,
        hear: ({ broadcasts, secrets }) => {
          readEach(broadcasts, 'invalid_message', (bytes) => {
            if (bytes.length !== ECHO_BYTES + SALT_BYTES + dealingBytes(suite, terms))
              throw new Error('as many commitments as the threshold says, and their proofs, are expected')
          })
          requireAgreement(new Map([...broadcasts].map(([party, bytes]) => [party, bytes.subarray(0, ECHO_BYTES)])), echo, 'equivocation')
          const revealed = judgeEach(ofOthers(broadcasts), (bytes, committer) =>
            decommit({ sid, committer }, commitments.get(committer)!.subarray(0, COMMITMENT_BYTES), bytes.subarray(ECHO_BYTES)),
          )
          polynomials = readDealings(suite, revealed, terms).set(self, dealing.polynomial)
          const answers = judgeEach(secrets, (offer, from) => {
            const at = (self < from ? self : self - 1) * COMMITMENT_BYTES
            return settingUp.get(from)!.answer(commitments.get(from)!.subarray(at, at + COMMITMENT_BYTES), offer)
          })
          echo = echoOf(2, broadcasts)
          const secret = new Map([...answers].map(([other, answer]) => [other, concatBytes(Fn.toBytes(dealing.valueFor(other)), answer)]))
          return { kind: 'message', outgoing: { broadcast: echo, secret } }
        },
      },
      {
        secretsFrom: others,
        hear: ({ broadcasts, secrets }) => {
          requireAgreement(broadcasts, echo, 'equivocation')
          const values = new Map([...secrets].map(([from, bytes]) => [from, bytes.subarray(0, VALUE_BYTES)]))
          const received = readValues(suite, values, polynomials, self)
          const setups = judgeEach(secrets, (bytes, from) => settingUp.get(from)!.finish(bytes.subarray(VALUE_BYTES)))
          const shared = conclude(addUp(suite, polynomials, [dealing.valueFor(self), ...received.values()]), echo)
          material = { ...shared, share: encodeShare(shared.share, setups) }
          shared.share.fill(0)
          const confirmation = ask('joint-sharing/confirmation', ECHO_BYTES, sid, echo, material.publicPackage)
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

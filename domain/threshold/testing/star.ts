/** A coordinator without a network: hands everybody's messages to everybody, or something else where a test says so. */
import { randomBytes } from '@noble/hashes/utils.js'
import type {
  ByParty,
  Incoming,
  KeyMaterial,
  Opened,
  Outgoing,
  Participant,
  PartyIndex,
  RandomBytes,
  Signature,
  SigningKey,
  Threshold,
  ThresholdProtocol,
} from '../protocol.ts'

/** What becomes of the messages on their way to one participant, in rounds counted from 1. */
export type Tamper = (incoming: Incoming, at: { round: number; to: PartyIndex }) => Incoming

export const rng: RandomBytes = randomBytes
export const CEREMONY = new TextEncoder().encode('key 1, attempt 1')

const honest: Tamper = (incoming) => incoming

/** Runs a key generation; throws what the first participant to abort throws. */
export function generateKey(
  protocol: ThresholdProtocol,
  { threshold, parties }: Threshold,
  options: { tamper?: Tamper; randomOf?: (party: PartyIndex) => RandomBytes } = {},
): Map<PartyIndex, KeyMaterial> {
  const { tamper = honest, randomOf = () => rng } = options
  const participants = Array.from({ length: parties }, (_, i) => i + 1).map(
    (self) => [self, protocol.keyGeneration({ self, threshold, parties, context: CEREMONY, rng: randomOf(self) })] as const,
  )
  return conclude(participants, tamper)
}

/** Gives all holders new shares; throws what the first participant to abort throws. */
export function refresh(
  protocol: ThresholdProtocol,
  keys: ReadonlyMap<PartyIndex, KeyMaterial>,
  options: { tamper?: Tamper; randomOf?: (party: PartyIndex) => RandomBytes } = {},
): Map<PartyIndex, KeyMaterial> {
  const { tamper = honest, randomOf = () => rng } = options
  const participants = [...keys].map(([self, key]) => [self, protocol.refresh({ key, context: CEREMONY, rng: randomOf(self) })] as const)
  return conclude(participants, tamper)
}

/** What one participant that has only the public package gets back from the helpers; throws what the first to abort throws. */
export function recover(
  protocol: ThresholdProtocol,
  keys: ReadonlyMap<PartyIndex, KeyMaterial>,
  { lost, helpers, publicPackage }: { lost: PartyIndex; helpers: readonly PartyIndex[]; publicPackage: Uint8Array },
  tamper: Tamper = honest,
): KeyMaterial {
  const ceremony = { lost, helpers, context: CEREMONY, rng }
  const participants = [
    ...helpers.map((self) => {
      const key = keys.get(self)!
      return [self, protocol.recovery({ ...ceremony, self, key, publicPackage: key.publicPackage })] as const
    }),
    [lost, protocol.recovery({ ...ceremony, self: lost, publicPackage })] as const,
  ]
  return conclude(participants, tamper).get(lost)!
}

/** Carries messages until all are done. */
function conclude<Result>(
  participants: readonly (readonly [self: PartyIndex, participant: Participant<Result>])[],
  tamper: Tamper,
): Map<PartyIndex, Result> {
  let said = new Map<PartyIndex, Outgoing>(participants.map(([self, { opening }]) => [self, opening]))
  for (let round = 1; ; round++) {
    const steps = participants.map(
      ([self, participant]) => [self, participant.next(tamper(heardBy(self, said), { round, to: self }))] as const,
    )
    const results = steps.flatMap(([self, step]) => (step.kind === 'done' ? [[self, step.result] as const] : []))
    if (results.length > 0) return new Map(results)
    said = new Map(steps.flatMap(([self, step]) => (step.kind === 'message' ? [[self, step.outgoing] as const] : [])))
  }
}

/** What a signer opens with in a scheme in which each opens by itself. @throws Error for others */
export function openAlone(protocol: ThresholdProtocol, key: SigningKey, random: RandomBytes = rng): Opened {
  const { signing } = protocol
  if (signing.openedBy !== 'each') throw new Error(`the signers of ${protocol.scheme} open together`)
  return signing.open({ key, rng: random })
}

/** What these signers hold of one signature to come; throws what the first to abort throws. */
export function open(
  protocol: ThresholdProtocol,
  keys: ReadonlyMap<PartyIndex, KeyMaterial>,
  signers: readonly PartyIndex[],
  tamper: Tamper = honest,
): Map<PartyIndex, Opened> {
  const { signing } = protocol
  if (signing.openedBy === 'each') return new Map(signers.map((self) => [self, openAlone(protocol, keys.get(self)!)]))
  const participants = signers.map((self) => [self, signing.open({ key: keys.get(self)!, signers, context: CEREMONY, rng })] as const)
  return conclude(participants, tamper)
}

/** Runs the rounds of a signing ceremony up to the contributions. What was opened with reaches the others in the last round. */
export function contribute(
  protocol: ThresholdProtocol,
  keys: ReadonlyMap<PartyIndex, KeyMaterial>,
  signers: readonly PartyIndex[],
  message: Uint8Array,
  tamper: Tamper = honest,
  path: readonly number[] = [],
): { openings: ByParty; contributions: ByParty } {
  const opened = open(protocol, keys, signers, tamper)
  const openings = new Map([...opened].map(([self, { broadcast }]) => [self, broadcast]))
  const round = protocol.signing.openedBy === 'each' ? 1 : protocol.signing.rounds + 1
  const contributions = new Map<PartyIndex, Uint8Array>()
  for (const [self, signer] of opened) {
    const heard = tamper({ broadcasts: openings, secrets: new Map() }, { round, to: self })
    contributions.set(self, signer.contribute({ key: keys.get(self)!, path, signers, message }, heard.broadcasts))
  }
  return { openings, contributions }
}

/** Signs a message with these signers, with the key at the path. */
export function sign(
  protocol: ThresholdProtocol,
  keys: ReadonlyMap<PartyIndex, KeyMaterial>,
  signers: readonly PartyIndex[],
  message: Uint8Array,
  path: readonly number[] = [],
): Signature {
  const { openings, contributions } = contribute(protocol, keys, signers, message, honest, path)
  const { publicPackage } = keys.get(signers[0]!)!
  return protocol.aggregate({ publicPackage, path, signers, message, broadcasts: openings, contributions })
}

/** Lets one participant say something else to all others, in one round. */
export function insteadOfBroadcast(
  from: PartyIndex,
  inRound: number,
  change: (broadcast: Uint8Array) => Uint8Array,
  onlyTo?: PartyIndex,
): Tamper {
  return (incoming, { round, to }) => {
    if (round !== inRound || to === from || (onlyTo !== undefined && to !== onlyTo)) return incoming
    return { ...incoming, broadcasts: new Map(incoming.broadcasts).set(from, change(incoming.broadcasts.get(from)!)) }
  }
}

/** Lets one participant tell something else to all to whom it writes in private, in one round. */
export function insteadOfSecret(from: PartyIndex, inRound: number, change: (secret: Uint8Array) => Uint8Array): Tamper {
  return (incoming, { round }) => {
    if (round !== inRound || !incoming.secrets.has(from)) return incoming
    return { ...incoming, secrets: new Map(incoming.secrets).set(from, change(incoming.secrets.get(from)!)) }
  }
}

function heardBy(self: PartyIndex, said: ReadonlyMap<PartyIndex, Outgoing>): Incoming {
  const secrets = [...said].flatMap(([from, { secret }]) => (secret.has(self) ? [[from, secret.get(self)!] as const] : []))
  return { broadcasts: broadcasts(said), secrets: new Map(secrets) }
}

const broadcasts = (said: ReadonlyMap<PartyIndex, Outgoing>): Map<PartyIndex, Uint8Array> =>
  new Map([...said].map(([from, { broadcast }]) => [from, broadcast]))

import type {
  KeyMaterial,
  Opened,
  Outgoing,
  Participant,
  PartyIndex,
  RandomBytes,
  ThresholdProtocol,
} from '../domain/threshold/protocol.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { SCHEMES } from '../domain/threshold/scheme.ts'

/** A key of one share would be no rehearsal of what two have to do with each other. */
const CAST: readonly PartyIndex[] = [1, 2]
const THRESHOLD = { threshold: CAST.length, parties: CAST.length }
const TIMES = 3
const CONTEXT = new TextEncoder().encode('rehearsal')

/**
 * Makes a key of two shares in each scheme, signs with it, and forgets it: what runs for the first time is several times slower, and had better not be
 * somebody's signature. Takes about a second.
 */
export function rehearse(rng: RandomBytes): void {
  for (const scheme of SCHEMES) {
    const protocol = protocolOf(scheme)
    const keys = conclude(CAST.map((self) => [self, protocol.keyGeneration({ self, ...THRESHOLD, context: CONTEXT, rng })]))
    try {
      for (let time = 0; time < TIMES; time++) sign(protocol, keys, rng)
    } finally {
      for (const { share } of keys.values()) share.fill(0)
    }
  }
}

function sign(protocol: ThresholdProtocol, keys: ReadonlyMap<PartyIndex, KeyMaterial>, rng: RandomBytes): void {
  const message = protocol.message(new Uint8Array(32))
  const opened = open(protocol, keys, rng)
  const broadcasts = new Map([...opened].map(([self, { broadcast }]) => [self, broadcast]))
  for (const [self, each] of opened) each.contribute({ key: keys.get(self)!, path: [], signers: CAST, message }, broadcasts)
}

function open({ signing }: ThresholdProtocol, keys: ReadonlyMap<PartyIndex, KeyMaterial>, rng: RandomBytes): Map<PartyIndex, Opened> {
  if (signing.openedBy === 'each') return new Map([...keys].map(([self, key]) => [self, signing.open({ key, rng })]))
  return conclude([...keys].map(([self, key]) => [self, signing.open({ key, signers: CAST, context: CONTEXT, rng })]))
}

/** What each is left with when all have said all they have to say. */
function conclude<Result>(participants: readonly (readonly [PartyIndex, Participant<Result>])[]): Map<PartyIndex, Result> {
  const results = new Map<PartyIndex, Result>()
  let said = new Map<PartyIndex, Outgoing>(participants.map(([self, { opening }]) => [self, opening]))
  while (said.size > 0) {
    const heard = said
    said = new Map()
    const broadcasts = new Map([...heard].map(([from, { broadcast }]) => [from, broadcast]))
    for (const [self, participant] of participants) {
      const secrets = new Map([...heard].flatMap(([from, { secret }]) => (secret.has(self) ? [[from, secret.get(self)!] as const] : [])))
      const step = participant.next({ broadcasts, secrets })
      if (step.kind === 'done') results.set(self, step.result)
      else said.set(self, step.outgoing)
    }
  }
  return results
}

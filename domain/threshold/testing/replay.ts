/** An honest ceremony is recorded; then one participant lives through it again, with something changed of what it hears. */
import { createHash } from 'node:crypto'
import type { Incoming, Outgoing, Participant, PartyIndex, RandomBytes } from '../protocol.ts'

/** One participant of a ceremony, the same each time it is begun. */
export type Begin<Result> = (self: PartyIndex, rng: RandomBytes) => Participant<Result>

/** What each participant heard in each round, and what came of it. */
export type Recording<Result> = {
  readonly begin: Begin<Result>
  readonly seed: string
  readonly heard: ReadonlyMap<PartyIndex, readonly Incoming[]>
  readonly results: ReadonlyMap<PartyIndex, Result>
}

/** `seed` stands for everybody's random source: another one makes another ceremony of the same kind. */
export function record<Result>(parties: readonly PartyIndex[], begin: Begin<Result>, seed: string): Recording<Result> {
  const participants = parties.map((self) => [self, begin(self, randomOf(seed, self))] as const)
  const heard = new Map(parties.map((self) => [self, [] as Incoming[]]))
  let said = new Map<PartyIndex, Outgoing>(participants.map(([self, { opening }]) => [self, opening]))
  for (;;) {
    const broadcasts = new Map([...said].map(([from, { broadcast }]) => [from, broadcast]))
    const steps = participants.map(([self, participant]) => {
      const secrets = new Map([...said].flatMap(([from, { secret }]) => (secret.has(self) ? [[from, secret.get(self)!] as const] : [])))
      heard.get(self)!.push({ broadcasts, secrets })
      return [self, participant.next({ broadcasts, secrets })] as const
    })
    const results = steps.flatMap(([self, step]) => (step.kind === 'done' ? [[self, step.result] as const] : []))
    if (results.length > 0) return { begin, seed, heard, results: new Map(results) }
    said = new Map(steps.flatMap(([self, step]) => (step.kind === 'message' ? [[self, step.outgoing] as const] : [])))
  }
}

/** Lets one participant hear in one round, counted from 1, something else than was recorded; throws what it throws, in that round or later. */
export function relive<Result>(
  { begin, seed, heard }: Recording<Result>,
  self: PartyIndex,
  inRound: number,
  change: (incoming: Incoming) => Incoming,
): Result {
  const participant = begin(self, randomOf(seed, self))
  let said = participant.opening
  for (const [i, incoming] of heard.get(self)!.entries()) {
    const withOwn = { ...incoming, broadcasts: new Map(incoming.broadcasts).set(self, said.broadcast) }
    const step = participant.next(i + 1 === inRound ? change(withOwn) : withOwn)
    if (step.kind === 'done') return step.result
    said = step.outgoing
  }
  throw new Error('the ceremony was recorded to its end')
}

function randomOf(seed: string, self: PartyIndex): RandomBytes {
  let drawn = 0
  return (length) => new Uint8Array(createHash('shake256', { outputLength: length }).update(`${seed}/${self}/${drawn++}`).digest())
}

import { Refusal } from '../domain/ceremony/refusal.ts'
import type { PartyIndex } from '../domain/threshold/protocol.ts'

/** A party and the protocol's number for it. */
export type Named = { id: string; number: PartyIndex }

/** Who may take part in a ceremony. */
export type Participants = {
  /** By number, the least first. */
  readonly all: readonly Named[]
  idOf(number: PartyIndex): string
  /** What was said, by the number of who said it. @throws Refusal `malformed` when a stranger speaks, or somebody twice */
  byNumber<Said extends { from: string }>(said: readonly Said[]): Map<PartyIndex, Said>
}

/** @throws Refusal `malformed` unless each is named once, `self` among them */
export function gatherParticipants(named: readonly Named[], self: string): Participants {
  const all = [...named].sort((a, b) => a.number - b.number)
  const numbers = new Map(all.map(({ id, number }) => [id, number]))
  const ids = new Map(all.map(({ id, number }) => [number, id]))
  if (numbers.size !== all.length || ids.size !== all.length || !numbers.has(self))
    throw new Refusal('malformed', 'participants are to be named once each, this party among them')

  return {
    all,
    idOf: (number) => ids.get(number)!,
    byNumber(said) {
      const found = new Map(said.map((each) => [numberOf(each.from), each]))
      if (found.size !== said.length) throw new Refusal('malformed', 'somebody speaks twice')
      return found
    },
  }

  function numberOf(id: string): PartyIndex {
    const number = numbers.get(id)
    if (number === undefined) throw new Refusal('malformed', 'somebody speaks who is not a participant')
    return number
  }
}

/** The holders of a key, whose numbers are their places in the list. */
export const numberedFromOne = (ids: readonly string[]): Named[] => ids.map((id, index) => ({ id, number: index + 1 }))

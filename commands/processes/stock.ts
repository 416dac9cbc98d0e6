import type { Opening } from '../../domain/ceremony/opening.ts'

/** What has become of a key's openings: those that were made ahead, those used for a signature, and those that went unused. */
export type PresignatureCounts = { generated: number; consumed: number; expired: number }

export type KeyEpoch = { keyId: string; epoch: number }

/** Openings that parties have made ahead, by key and party. */
export interface Stock {
  /** All openings of all keys. */
  readonly size: number
  /** What a party has given for a key in this epoch; those of earlier epochs are dropped. */
  add(openings: readonly Opening[]): void
  /** How many there are that still hold for a while. */
  held(key: KeyEpoch, partyId: string): number
  /** The oldest, which is nobody else's from then on. */
  take(key: KeyEpoch, partyId: string): Opening | undefined
  /** Drops what a party has given for a key, or what all of them have. */
  drop(keyId: string, partyId?: string): void
  /** Drops what holds no longer. */
  expire(): void
  /** What has become of a key's openings since this was last asked; undefined when nothing has. */
  takeCounts(keyId: string): PresignatureCounts | undefined
}

/** An opening is not used when it expires this soon: it has still to reach its party, whose clock is another one. */
const MARGIN_MS = 5_000

type Shelf = { epoch: number; openings: Map<string, Opening[]> }

export function createStock({ now = Date.now }: { now?: () => number } = {}): Stock {
  const shelves = new Map<string, Shelf>()
  const counted = new Map<string, PresignatureCounts>()
  let size = 0

  const count = (keyId: string, what: keyof PresignatureCounts, by: number) => {
    if (by === 0) return
    const counts = counted.get(keyId) ?? { generated: 0, consumed: 0, expired: 0 }
    counts[what] += by
    counted.set(keyId, counts)
  }
  const expireIn = (keyId: string, openings: Opening[]) => {
    const firstFresh = openings.findIndex(({ expiresAt }) => expiresAt > now() + MARGIN_MS)
    const gone = openings.splice(0, firstFresh < 0 ? openings.length : firstFresh).length
    size -= gone
    count(keyId, 'expired', gone)
  }
  const fresh = ({ keyId, epoch }: KeyEpoch, partyId: string): Opening[] => {
    const shelf = shelves.get(keyId)
    const openings = shelf?.epoch === epoch ? shelf.openings.get(partyId) : undefined
    if (openings) expireIn(keyId, openings)
    return openings ?? []
  }
  const dropShelf = (keyId: string, partyId?: string) => {
    const { openings } = shelves.get(keyId) ?? {}
    for (const [id, each] of openings ?? []) {
      if (partyId !== undefined && id !== partyId) continue
      openings?.delete(id)
      size -= each.length
      count(keyId, 'expired', each.length)
    }
    if (openings?.size === 0) shelves.delete(keyId)
  }

  return {
    get size() {
      return size
    },

    add(openings) {
      for (const opening of openings) {
        const { keyId, epoch, partyId } = opening
        if ((shelves.get(keyId)?.epoch ?? epoch) < epoch) dropShelf(keyId)
        const shelf = shelves.get(keyId) ?? { epoch, openings: new Map() }
        count(keyId, 'generated', 1)
        if (shelf.epoch > epoch) {
          count(keyId, 'expired', 1)
          continue
        }
        shelves.set(keyId, shelf)
        const given = shelf.openings.get(partyId) ?? []
        shelf.openings.set(partyId, given)
        given.push(opening)
        size++
      }
    },

    held: (key, partyId) => fresh(key, partyId).length,

    take(key, partyId) {
      const opening = fresh(key, partyId).shift()
      if (!opening) return undefined
      size--
      count(key.keyId, 'consumed', 1)
      return opening
    },

    drop: dropShelf,

    expire() {
      for (const [keyId, { openings }] of shelves) {
        for (const [partyId, each] of openings) {
          expireIn(keyId, each)
          if (each.length === 0) openings.delete(partyId)
        }
        if (openings.size === 0) shelves.delete(keyId)
      }
    },

    takeCounts(keyId) {
      const counts = counted.get(keyId)
      counted.delete(keyId)
      return counts
    },
  }
}

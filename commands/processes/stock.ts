import type { Opening } from '../../domain/ceremony/opening.ts'

/** What has become of a key's openings: those that were made ahead, those used for a signature, and those that went unused. */
export type PresignatureCounts = { generated: number; consumed: number; expired: number }

export type KeyEpoch = { keyId: string; epoch: number }

/** Openings that are of use together: a single one where each signer opens by itself, else those of all who have opened together. */
export type Lot = readonly Opening[]

/** Openings that parties have made ahead, by key and by who has made them. */
export interface Stock {
  /** All openings of all keys. */
  readonly size: number
  /** What has been given for a key in this epoch; those of earlier epochs are dropped. */
  add(lots: readonly Lot[]): void
  /** How many lots of these parties there are that still hold for a while. */
  held(key: KeyEpoch, parties: readonly string[]): number
  /** Whether there is anything for the key that has not expired when that was last looked for. */
  holds(keyId: string): boolean
  /** The oldest, which is nobody else's from then on. */
  take(key: KeyEpoch, parties: readonly string[]): Lot | undefined
  /** Drops what a party has given for a key, alone or with others, or what all of them have. */
  drop(keyId: string, partyId?: string): void
  /** Drops what holds no longer. */
  expire(): void
  /** What has become of a key's openings since this was last asked; undefined when nothing has. */
  takeCounts(keyId: string): PresignatureCounts | undefined
}

/** An opening is not used when it expires this soon: it has still to reach its party, whose clock is another one. */
const MARGIN_MS = 5_000

type Shelf = { epoch: number; lots: Map<string, Lot[]> }

/** Whose lots they are, whatever the order. No id has a comma in it. */
const nameOf = (parties: readonly string[]) => parties.toSorted().join()

const partiesOf = (lot: Lot) => lot.map(({ partyId }) => partyId)

export function createStock({ now = Date.now }: { now?: () => number } = {}): Stock {
  const shelves = new Map<string, Shelf>()
  const counted = new Map<string, PresignatureCounts>()
  let size = 0

  const count = (keyId: string, what: keyof PresignatureCounts, lots: readonly Lot[]) => {
    const by = openingsIn(lots)
    if (by === 0) return
    const counts = counted.get(keyId) ?? { generated: 0, consumed: 0, expired: 0 }
    counts[what] += by
    counted.set(keyId, counts)
  }
  const expireIn = (keyId: string, lots: Lot[]) => {
    const holds = (lot: Lot) => lot.every(({ expiresAt }) => expiresAt > now() + MARGIN_MS)
    const firstFresh = lots.findIndex(holds)
    const gone = lots.splice(0, firstFresh < 0 ? lots.length : firstFresh)
    size -= openingsIn(gone)
    count(keyId, 'expired', gone)
  }
  const fresh = ({ keyId, epoch }: KeyEpoch, parties: readonly string[]): Lot[] => {
    const shelf = shelves.get(keyId)
    const lots = shelf?.epoch === epoch ? shelf.lots.get(nameOf(parties)) : undefined
    if (lots) expireIn(keyId, lots)
    return lots ?? []
  }
  const dropShelf = (keyId: string, partyId?: string) => {
    const { lots } = shelves.get(keyId) ?? {}
    for (const [name, each] of lots ?? []) {
      if (partyId !== undefined && !name.split(',').includes(partyId)) continue
      lots?.delete(name)
      size -= openingsIn(each)
      count(keyId, 'expired', each)
    }
    if (lots?.size === 0) shelves.delete(keyId)
  }

  return {
    get size() {
      return size
    },

    add(lots) {
      for (const lot of lots) {
        const [{ keyId, epoch }] = lot as readonly [Opening]
        if ((shelves.get(keyId)?.epoch ?? epoch) < epoch) dropShelf(keyId)
        const shelf = shelves.get(keyId) ?? { epoch, lots: new Map() }
        count(keyId, 'generated', [lot])
        if (shelf.epoch > epoch) {
          count(keyId, 'expired', [lot])
          continue
        }
        shelves.set(keyId, shelf)
        const name = nameOf(partiesOf(lot))
        const given = shelf.lots.get(name) ?? []
        shelf.lots.set(name, given)
        given.push(lot)
        size += lot.length
      }
    },

    held: (key, parties) => fresh(key, parties).length,
    holds: (keyId) => shelves.has(keyId),

    take(key, parties) {
      const lot = fresh(key, parties).shift()
      if (!lot) return undefined
      size -= lot.length
      count(key.keyId, 'consumed', [lot])
      return lot
    },

    drop: dropShelf,

    expire() {
      for (const [keyId, { lots }] of shelves) {
        for (const [name, each] of lots) {
          expireIn(keyId, each)
          if (each.length === 0) lots.delete(name)
        }
        if (lots.size === 0) shelves.delete(keyId)
      }
    },

    takeCounts(keyId) {
      const counts = counted.get(keyId)
      counted.delete(keyId)
      return counts
    },
  }
}

const openingsIn = (lots: readonly Lot[]) => lots.reduce((sum, lot) => sum + lot.length, 0)

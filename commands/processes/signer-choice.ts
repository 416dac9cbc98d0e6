import type { Failure } from '../../domain/signing-session/events.ts'
import type { PartyFailure } from './rounds.ts'
import type { KeyEpoch } from './stock.ts'

/** What holders have said of each other: who does not sign a key together, and why. */
export interface Rifts {
  /** Remembers it for a while when it is of that kind; other failures are none of it. */
  learn(key: KeyEpoch, failure: PartyFailure): void
  /** What keeps some of these from signing together, as far as is known. */
  among(key: KeyEpoch, signers: readonly string[]): Failure | undefined
}

/** With what a party says that it does not sign with another, or will not from now on. */
const RIFTS = ['counterparty_banned', 'setup_missing', 'invalid_multiplication']
/** An operator may lift it at any time. */
const REMEMBERED_MS = 60_000
const MAX_KEYS = 1_000

type Rift = { pair: readonly [string, string]; failure: Failure; at: number }

export function createRifts({ now = Date.now }: { now?: () => number } = {}): Rifts {
  const known = new Map<string, { epoch: number; rifts: readonly Rift[] }>()
  /** A refresh mends what can be mended. */
  const current = ({ keyId, epoch }: KeyEpoch): readonly Rift[] => {
    const ofKey = known.get(keyId)
    return ofKey?.epoch === epoch ? ofKey.rifts.filter(({ at }) => at > now() - REMEMBERED_MS) : []
  }
  return {
    learn(key, { code, from, culprits }) {
      if (!RIFTS.includes(code)) return
      const { keyId, epoch } = key
      const others = culprits.filter((id) => id !== from)
      const found = others.map((id): Rift => ({ pair: [from, id], failure: { code, culprits: [id] }, at: now() }))
      const rest = current(key).filter(({ pair: [one, other] }) => one !== from || !others.includes(other))
      known.delete(keyId)
      known.set(keyId, { epoch, rifts: [...rest, ...found] })
      const [oldest] = known.keys()
      if (known.size > MAX_KEYS && oldest !== undefined) known.delete(oldest)
    },
    among: (key, signers) => current(key).find(({ pair }) => pair.every((id) => signers.includes(id)))?.failure,
  }
}

/** All that so many of the candidates can be, those with the first candidates first. */
export function* quorumsOf(candidates: readonly string[], size: number): Generator<readonly string[]> {
  if (size === 0) {
    yield []
    return
  }
  for (const [index, first] of candidates.entries())
    for (const rest of quorumsOf(candidates.slice(index + 1), size - 1)) yield [first, ...rest]
}

/** The likeliest candidates that can sign together; `candidates` are in that order. */
export function chooseSigners(
  candidates: readonly string[],
  size: number,
  canSign: (signers: readonly string[]) => boolean,
): readonly string[] | undefined {
  for (const signers of quorumsOf(candidates, size)) if (canSign(signers)) return signers
  return undefined
}

import type { KeyPolicy } from '../../domain/authorisation/key-policy.ts'
import { MAX_OPENINGS } from '../../domain/ceremony/messages.ts'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { type Claims, createClaims } from './claims.ts'
import { type OpenableKey, type OpeningRequests, requestOpenings } from './opening-requests.ts'
import { presign } from './presigning.ts'
import { CeremonyFailed } from './rounds.ts'
import { watchSessions } from './session-lull.ts'
import { chooseSigners, createRifts, type Rifts } from './signer-choice.ts'
import { measuredChannel } from './standing/measured-channel.ts'
import type { PartyStanding } from './standing/party-standing.ts'
import { createStock, type Lot, type PresignatureCounts, type Stock } from './stock.ts'

export type StockedKey = OpenableKey & {
  tenant: string
  threshold: number
  parties: readonly string[]
  policy: Pick<KeyPolicy, 'presignatures'>
}

export type StockKeepingOptions = OpeningRequests & {
  standing: PartyStanding
  /** Writes down what has become of a key's openings since the last time. */
  record(key: StockedKey, counts: PresignatureCounts): Promise<unknown>
  onFailure(error: unknown): void
  timing?: Partial<Timing>
}

type Timing = {
  /** How long after its last use a key is stocked. */
  usedWithinMs: number
  /** How often it is looked for what has expired, and for parties that may have come back. */
  everyMs: number
  /** A key's counts are written down this often at most. */
  recordEveryMs: number
}

export interface StockKeeping {
  readonly stock: Stock
  /** What signers are making for it together. */
  readonly claims: Pick<Claims, 'isFree' | 'claim'>
  /** Who does not sign with whom, as far as this coordinator has been told. */
  readonly rifts: Rifts
  /** The key is used, or will be soon. */
  use(key: StockedKey): void
  /** The key is not to be used any more. */
  retire(keyId: string): void
  /** A session waits for the parties until the returned function is called; they are not asked for stock meanwhile. */
  sessionBegan(): () => void
  /** Writes down what is not written yet. */
  close(): Promise<void>
}

const TIMING: Timing = { usedWithinMs: 15 * 60_000, everyMs: 1_000, recordEveryMs: 60_000 }
const MAX_KEYS = 1_000
const MAX_STOCKED = 50_000
/** Requests for stock at a time, each to another party: somebody may want a signature at any moment. */
const AT_ONCE = 2
/** A party takes some milliseconds for each. */
const PER_REQUEST = Math.min(8, MAX_OPENINGS)
const ANSWER_WITHIN_MS = 2_000
/** Of a stock of which at least this part is left, the rest is made when no session could be held up by it. */
const LOW = 0.5

/** `team` are those who open together, where signers do: the same as long as they can, so that what they make is found again. */
type Kept = { key: StockedKey; usedAt: number; recordedAt: number; team?: readonly string[] }

/** How many openings of each party are kept ready. */
const tierOf = ({ policy }: StockedKey) => policy.presignatures

/** Keeps openings ready for the keys that are in use, when there is nothing better to do. */
export function keepStock(options: StockKeepingOptions): StockKeeping {
  const { channel, witness, standing, record, onFailure, timing = {} } = options
  const { usedWithinMs, everyMs, recordEveryMs } = { ...TIMING, ...timing }
  // How long a party takes for so many at once says nothing of how long it takes for a round.
  const unhurried = { timeoutMs: () => ANSWER_WITHIN_MS, answered() {}, failed: standing.failed }
  const requests = { channel: measuredChannel(channel, unhurried), witness }
  const stock = createStock()
  const claims = createClaims()
  const rifts = createRifts()
  /** The one used last comes last. */
  const kept = new Map<string, Kept>()
  /** Keys of which there may be less than there should. */
  const short = new Set<string>()
  const asked = new Map<string, Promise<void>>()
  /** Parties that failed are left alone until the next look. */
  const resting = new Set<string>()
  const recording = new Set<Promise<unknown>>()
  const lull = watchSessions({ onEase: () => fill() })
  let closed = false

  /** Those who open: each of the parties by itself, or a team together. */
  const openersOf = (each: Kept): readonly (readonly string[])[] => {
    const { key } = each
    if (protocolOf(key.scheme).signing.openedBy === 'each') return standing.rank(key.parties, 1).map((id) => [id])
    const isAble = (signers: readonly string[]) => !signers.some((id) => resting.has(id)) && !rifts.among(key, signers)
    if (!each.team || !isAble(each.team)) {
      const team = chooseSigners(standing.rank(key.parties, key.threshold), key.threshold, isAble)
      if (!team) return []
      each.team = key.parties.filter((id) => team.includes(id))
    }
    return [each.team]
  }
  const nextWanted = (): { key: StockedKey; openers: readonly string[] } | undefined => {
    for (const keyId of [...short].reverse()) {
      const each = kept.get(keyId)!
      const { key } = each
      const missing = openersOf(each).filter((openers) => stock.held(key, openers) < tierOf(key))
      if (missing.length === 0) short.delete(keyId)
      const mayBeAsked = (id: string) => !asked.has(id) && !resting.has(id)
      const openers = missing.find((ids) => ids.every(mayBeAsked) && (lull.isLull || isLow(key, ids)))
      if (openers) return { key, openers }
    }
    return undefined
  }

  /** What is left would not last long: more of it is worth what that may hold up. */
  const isLow = (key: StockedKey, openers: readonly string[]) => stock.held(key, openers) < tierOf(key) * LOW

  const fill = () => {
    while (!closed && lull.isIdle && asked.size < AT_ONCE && stock.size < MAX_STOCKED) {
      const wanted = nextWanted()
      if (!wanted) return
      const { key, openers } = wanted
      const asking = ask(key, openers)
        .catch((error) => {
          for (const id of openers) resting.add(id)
          if (!(error instanceof Unavailable)) onFailure(error)
        })
        .finally(() => {
          for (const id of openers) asked.delete(id)
          fill()
        })
      for (const id of openers) asked.set(id, asking)
    }
  }

  const ask = (key: StockedKey, openers: readonly string[]): Promise<void> =>
    protocolOf(key.scheme).signing.openedBy === 'each'
      ? putBy(key, openEach(key, openers[0]!))
      : claims.making(key, openers, (claimed) => putBy(key, openTogether(key, openers, claimed)))

  const putBy = async (key: StockedKey, opening: Promise<readonly Lot[]>): Promise<void> => {
    const lots = await opening
    // Of a key that has been retired meanwhile, or has come into another epoch, they are worth nothing.
    if (kept.get(key.keyId)?.key.epoch === key.epoch) stock.add(lots)
  }

  const openEach = async (key: StockedKey, to: string): Promise<readonly Lot[]> => {
    const count = Math.min(PER_REQUEST, tierOf(key) - stock.held(key, [to]))
    const outcome = await requestOpenings(requests, key, { to, count, timeoutMs: ANSWER_WITHIN_MS })
    if ('openings' in outcome) return outcome.openings.map((opening) => [opening])
    resting.add(to)
    return []
  }

  const openTogether = async (key: StockedKey, signers: readonly string[], claimed: Promise<void>): Promise<readonly Lot[]> => {
    try {
      const onRound = () => (isLow(key, signers) ? undefined : Promise.race([claimed, lull.idle()]))
      return [await presign(requests, key, { signers, timeoutMs: ANSWER_WITHIN_MS, onRound })]
    } catch (error) {
      if (!(error instanceof CeremonyFailed)) throw error
      for (const failure of error.failures) rifts.learn(key, failure)
      for (const id of error.culprits.length > 0 ? error.culprits : signers) resting.add(id)
      return []
    }
  }

  const writeDown = (isDue: (kept: Kept) => boolean) => {
    for (const [keyId, each] of kept) {
      const counts = isDue(each) && stock.takeCounts(keyId)
      if (!counts) continue
      each.recordedAt = Date.now()
      const work: Promise<unknown> = record(each.key, counts)
        .catch(onFailure)
        .finally(() => recording.delete(work))
      recording.add(work)
    }
  }

  const forget = (keyId: string) => {
    stock.drop(keyId)
    writeDown(({ key }) => key.keyId === keyId)
    kept.delete(keyId)
    short.delete(keyId)
  }

  const look = () => {
    const now = Date.now()
    resting.clear()
    stock.expire()
    for (const [keyId, { usedAt }] of kept) {
      if (usedAt > now - usedWithinMs) short.add(keyId)
      else if (!stock.holds(keyId)) forget(keyId)
      else short.delete(keyId)
    }
    writeDown(({ recordedAt }) => recordedAt <= now - recordEveryMs)
    fill()
  }

  const timer = setInterval(look, everyMs).unref()

  return {
    stock,
    claims,
    rifts,

    use(key) {
      const { keyId } = key
      const before = kept.get(keyId)
      kept.delete(keyId)
      kept.set(keyId, { recordedAt: 0, ...before, key, usedAt: Date.now() })
      short.add(keyId)
      const [oldest] = kept.keys()
      if (kept.size > MAX_KEYS && oldest !== undefined) forget(oldest)
      fill()
    },

    retire: forget,

    sessionBegan: lull.sessionBegan,

    async close() {
      closed = true
      clearInterval(timer)
      lull.close()
      await Promise.all(asked.values())
      writeDown(() => true)
      await Promise.all(recording)
    },
  }
}

import type { Moved } from './evaluate.ts'
import { MAX_WINDOW_SECONDS } from './rules.ts'

/**
 * What was moved in the longest window, in a form that can be stored: amounts are decimal strings. An entry may stand for several of one asset; its time is then
 * that of the newest or later, so that they count for longer than they must, never shorter.
 */
export type History = readonly Entry[]
export type Entry = { asset: string; at: number; amount: string; usdCents: string | null }

export const MAX_ENTRIES = 1_000
/** Seconds that entries are put together by when they are too many; the longest of these leaves two or three of each asset. */
const GRAINS = [1, 60, 3_600, 86_400, MAX_WINDOW_SECONDS]

/** The history with this in it; undefined when it is of more assets than can be kept apart. What is older than any window is left out. */
export function noted(history: History, { asset, at, amount, usdCents }: Moved): History | undefined {
  const kept = history.filter((entry) => entry.at > at - MAX_WINDOW_SECONDS * 1000)
  const all = [...kept, { asset, at, amount: String(amount), usdCents: usdCents === null ? null : String(usdCents) }]
  if (all.length <= MAX_ENTRIES) return all
  for (const grain of GRAINS) {
    const together = putTogether(all, grain * 1000)
    if (together.length <= MAX_ENTRIES) return together
  }
  return undefined
}

/** The history without this, which was noted before and came to nothing. */
export function forgotten(history: History, moved: Moved): History {
  let amount = moved.amount
  let cents = moved.usdCents ?? 0n
  return history.flatMap((entry) => {
    if (amount === 0n || entry.asset !== moved.asset || entry.at < moved.at || isKnown(entry) !== (moved.usdCents !== null)) return entry
    const taken = least(amount, BigInt(entry.amount))
    const takenCents = least(cents, BigInt(entry.usdCents ?? 0))
    amount -= taken
    cents -= takenCents
    if (taken === BigInt(entry.amount)) return []
    return {
      ...entry,
      amount: String(BigInt(entry.amount) - taken),
      usdCents: isKnown(entry) ? String(BigInt(entry.usdCents!) - takenCents) : null,
    }
  })
}

/** The history as a policy is judged by. */
export const movedIn = (history: History): Moved[] =>
  history.map(({ asset, at, amount, usdCents }) => ({
    asset,
    at,
    amount: BigInt(amount),
    usdCents: usdCents === null ? null : BigInt(usdCents),
  }))

const isKnown = ({ usdCents }: Entry) => usdCents !== null

function putTogether(entries: History, grain: number): History {
  const together = new Map<string, Entry>()
  for (const entry of entries) {
    const at = Math.ceil(entry.at / grain) * grain
    const key = `${entry.asset} ${isKnown(entry)} ${at}`
    const before = together.get(key)
    together.set(key, before ? sumOf(before, entry) : { ...entry, at })
  }
  return [...together.values()]
}

function sumOf(one: Entry, other: Entry): Entry {
  const usdCents = one.usdCents === null || other.usdCents === null ? null : String(BigInt(one.usdCents) + BigInt(other.usdCents))
  return { ...one, amount: String(BigInt(one.amount) + BigInt(other.amount)), usdCents }
}

const least = (one: bigint, other: bigint): bigint => (one < other ? one : other)

/** A map that forgets. It keeps at least the `limit / 2` entries that were set last, and never more than `limit`. */
export type BoundedMap<Key, Value> = { get(key: Key): Value | undefined; set(key: Key, value: Value): void }

/** Two generations, the older of which is forgotten as a whole: removing single entries in their order makes a large Map slow. */
export function createBoundedMap<Key, Value>(limit: number): BoundedMap<Key, Value> {
  let young = new Map<Key, Value>()
  let old = new Map<Key, Value>()
  return {
    get: (key) => young.get(key) ?? old.get(key),
    set(key, value) {
      if (young.size >= limit / 2 && !young.has(key)) {
        old = young
        young = new Map()
      }
      young.set(key, value)
    },
  }
}

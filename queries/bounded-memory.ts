import type { Json } from '../domain/ports/event-log.ts'

export type BoundedMemory<T> = {
  get(key: string): T | undefined
  set(key: string, value: T, weight: number): void
  delete(key: string): void
}

/** Remembers what was set last, as much as weighs no more than `maxWeight` in all. */
export function boundedMemory<T>(maxWeight: number): BoundedMemory<T> {
  const entries = new Map<string, { value: T; weight: number }>()
  let held = 0
  const forget = (key: string) => {
    held -= entries.get(key)?.weight ?? 0
    entries.delete(key)
  }
  return {
    get: (key) => entries.get(key)?.value,
    set(key, value, weight) {
      forget(key)
      if (weight > maxWeight) return
      entries.set(key, { value, weight })
      held += weight
      for (const oldest of entries.keys()) {
        if (held <= maxWeight) return
        forget(oldest)
      }
    },
    delete: forget,
  }
}

/** Roughly the bytes that a value takes in memory, or a little more. */
export function weightOf(value: Json | undefined): number {
  if (typeof value === 'string') return 32 + 2 * value.length
  if (typeof value !== 'object' || value === null) return 16
  let weight = 64
  if (Array.isArray(value)) for (const item of value) weight += weightOf(item)
  else for (const [name, child] of Object.entries(value)) weight += 16 + name.length + weightOf(child)
  return weight
}

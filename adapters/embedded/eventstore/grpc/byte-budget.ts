/** Memory that many may take from, as long as there is any. */
export type ByteBudget = {
  /** False, and nothing is taken, when so much is not left. */
  take(bytes: number): boolean
  give(bytes: number): void
  left(): number
}

export function createByteBudget(limit: number): ByteBudget {
  let left = limit
  return {
    take(bytes) {
      if (bytes > left) return false
      left -= bytes
      return true
    },
    give(bytes) {
      left += bytes
    },
    left: () => left,
  }
}

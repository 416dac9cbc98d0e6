/**
 * Where the bytes of a log are: segments, numbered from 1, each of which grows at its end. What changes them is durable when it returns,
 * and throws when it may not be.
 */
export type Storage = {
  /** In ascending order. A segment may be longer than what was written to it; the rest is zeros. */
  segments(): { number: number; length: number }[]
  /** How messages call a segment. */
  nameOf(segment: number): string
  /** Fills `target` with the bytes from `offset` on, and returns how many there were. */
  read(segment: number, offset: number, target: Uint8Array): number
  /** Makes a segment that holds `bytes`, whatever there was under its number. */
  create(segment: number, bytes: Uint8Array): void
  write(segment: number, offset: number, bytes: Uint8Array): void
  /** Forgets everything from `length` on. */
  cut(segment: number, length: number): void
  remove(segment: number): void
  /** Begins to write what is to take the place of a segment, which stays as it is meanwhile. */
  replace(segment: number): Replacement
  close(): void
}

/** A segment in the making. One that is neither finished nor abandoned is gone after a restart. */
export type Replacement = {
  write(bytes: Uint8Array): void
  /** The segment holds what was written, from now on and as a whole, or else what it held before. */
  finish(): void
  abandon(): void
}

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
  close(): void
}

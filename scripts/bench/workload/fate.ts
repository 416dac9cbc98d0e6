import { createCipheriv, createHash, randomBytes, randomUUID } from 'node:crypto'

/** What a made-up life takes from outside: names and noise, and the time in ms since 1970. */
export type Fate = { uuid(): string; bytes(count: number): Buffer; hex(bytes: number): string; now(): number }

/** Never twice the same. */
export const chance: Fate = { uuid: randomUUID, bytes: randomBytes, hex: (bytes) => randomBytes(bytes).toString('hex'), now: Date.now }

const CHUNK = 64 * 1024

/** Always the same for the same seed. Time goes on by `stepMs` whenever it is asked for. */
export function predestined(seed: string, startsAt: number, stepMs: number): Fate {
  const key = createHash('sha256').update(seed).digest()
  const stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  let left = Buffer.alloc(0)
  let time = startsAt
  const bytes = (count: number): Buffer => {
    if (left.length < count) left = Buffer.concat([left, stream.update(Buffer.alloc(Math.max(CHUNK, count)))])
    const taken = left.subarray(0, count)
    left = left.subarray(count)
    return taken
  }
  return {
    bytes,
    hex: (count) => bytes(count).toString('hex'),
    uuid() {
      const hex = bytes(16).toString('hex')
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
    },
    now() {
      time += stepMs
      return time
    },
  }
}

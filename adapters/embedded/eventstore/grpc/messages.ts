import type { ByteBudget } from './byte-budget.ts'
import { CallError, CODE } from './status.ts'

/** Before each message on the wire: a byte that says whether it is compressed, and its length (4 bytes, big-endian). */
export const PREFIX_BYTES = 5

const FIRST_BYTES = 16 * 1024

/** A message as it is sent. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length)
  writePrefix(framed, message.length)
  framed.set(message, PREFIX_BYTES)
  return framed
}

/** Writes the prefix of a message of `length` bytes to the beginning of `framed`. */
export function writePrefix(framed: Buffer, length: number): void {
  framed[0] = 0
  framed.writeUInt32BE(length, 1)
}

export type MessageReader = {
  /**
   * Takes what arrived and delivers the messages that are complete with it. They may be views of it.
   * @throws CallError, and then nothing more may be pushed
   */
  push(chunk: Buffer): void
  /** Whether the last message has not arrived entirely. */
  incomplete(): boolean
  /** Gives back what it holds; nothing is delivered any more. */
  close(): void
}

/**
 * Cuts messages out of a stream of bytes. A message that claims more than `most` bytes is refused when its prefix is read; of one that is
 * incomplete about as many bytes are held as have arrived, and they come out of the budget.
 */
export function createMessageReader(most: number, budget: ByteBudget, deliver: (message: Buffer) => void): MessageReader {
  let held = Buffer.alloc(0)
  let filled = 0
  let closed = false

  function grow(capacity: number): void {
    if (!budget.take(capacity - held.length)) throw new CallError(CODE.resourceExhausted, 'too many messages are incomplete')
    const larger = Buffer.allocUnsafeSlow(capacity)
    held.copy(larger, 0, 0, filled)
    held = larger
  }

  /** Adds to what is held, up to `wanted` bytes of it. Returns how much of the chunk that took. */
  function hold(chunk: Buffer, wanted: number): number {
    const taken = Math.min(chunk.length, wanted - filled)
    if (filled + taken > held.length) grow(Math.min(wanted, Math.max(filled + taken, 2 * held.length, FIRST_BYTES)))
    chunk.copy(held, filled, 0, taken)
    filled += taken
    return taken
  }

  function release(): void {
    budget.give(held.length)
    held = Buffer.alloc(0)
    filled = 0
  }

  /** The rest of the message that is held. Returns how much of the chunk that took. */
  function complete(chunk: Buffer): number {
    let at = 0
    if (filled < PREFIX_BYTES) at = hold(chunk, PREFIX_BYTES)
    if (filled < PREFIX_BYTES) return at
    const size = PREFIX_BYTES + lengthAt(held, 0, most)
    at += hold(chunk.subarray(at), size)
    if (filled < size) return at
    const message = held.subarray(PREFIX_BYTES, size)
    release()
    deliver(message)
    return at
  }

  return {
    push(chunk) {
      let at = filled > 0 ? complete(chunk) : 0
      while (!closed && chunk.length - at >= PREFIX_BYTES) {
        const end = at + PREFIX_BYTES + lengthAt(chunk, at, most)
        if (end > chunk.length) break
        deliver(chunk.subarray(at + PREFIX_BYTES, end))
        at = end
      }
      if (!closed && at < chunk.length) complete(chunk.subarray(at))
    },
    incomplete: () => filled > 0,
    close() {
      closed = true
      release()
    },
  }
}

/** The length that a prefix tells. @throws CallError */
function lengthAt(bytes: Buffer, at: number, most: number): number {
  if (bytes[at] !== 0) throw new CallError(CODE.unimplemented, 'compressed messages are not supported')
  const length = bytes.readUInt32BE(at + 1)
  if (length > most) throw new CallError(CODE.resourceExhausted, `a message of ${length} bytes is larger than ${most}`)
  return length
}

/** Header: message length, request id, response to, op code; each a little-endian int32. */
export const HEADER_BYTES = 16

/** What `hello` announces as `maxMessageSizeBytes`. */
export const MAX_MESSAGE_BYTES = 48_000_000

/** The peer does not speak the protocol: there is no way to go on with its connection. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation'
}

export type FrameSplitter = {
  /** The messages completed by this chunk. @throws ProtocolViolation */
  push(chunk: Buffer): Buffer[]
  /** Bytes held of a message that is not complete. */
  readonly pending: number
}

function lengthOf(data: Buffer): number {
  const length = data.readInt32LE(0)
  if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES) throw new ProtocolViolation(`a message cannot be ${length} bytes long`)
  return length
}

/** Cuts a byte stream into messages. Memory grows with the bytes that have arrived, never with a length that was only claimed. */
export function createFrameSplitter(): FrameSplitter {
  let held = Buffer.alloc(0)
  let used = 0

  function append(chunk: Buffer): Buffer {
    const needed = used + chunk.length
    if (needed > held.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, held.length * 2))
      held.copy(grown, 0, 0, used)
      held = grown
    }
    chunk.copy(held, used)
    used = needed
    return held.subarray(0, used)
  }

  function keep(rest: Buffer): void {
    held = Buffer.from(rest)
    used = rest.length
  }

  return {
    push(chunk) {
      const data = used > 0 ? append(chunk) : chunk
      const frames: Buffer[] = []
      let at = 0
      while (data.length - at >= HEADER_BYTES) {
        const length = lengthOf(data.subarray(at))
        if (data.length - at < length) break
        frames.push(data.subarray(at, at + length))
        at += length
      }
      if (at > 0 || used === 0) keep(data.subarray(at))
      return frames
    },
    get pending() {
      return used
    },
  }
}

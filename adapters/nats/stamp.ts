import { randomBytes } from 'node:crypto'

/** When a request was made (8 bytes, big-endian, milliseconds since 1970), and a number that no other has (16 random bytes). */
export type Stamp = Uint8Array

export const STAMP_BYTES = 24

export function newStamp(at: number): Stamp {
  const stamp = randomBytes(STAMP_BYTES)
  stamp.writeBigUInt64BE(BigInt(at))
  return new Uint8Array(stamp)
}

/** Far in the future for what is no time. */
export const madeAt = (stamp: Stamp): number => Number(new DataView(stamp.buffer, stamp.byteOffset).getBigUint64(0))

import { ProtocolAbort } from '../protocol.ts'
import { ORDER, SCALAR_BYTES } from './parameters.ts'

const WORD = (1n << 64n) - 1n

/**
 * Scalars from random bytes, 32 for each. As 2^256 exceeds the order by less than 2^129, reducing them is off from uniform by less than 2^-126.
 */
export const reduceScalars = (random: Uint8Array): bigint[] => read(random).map((value) => (value < ORDER ? value : value - ORDER))

/** Scalars as `encodeScalars` wrote them, 32 bytes each, big-endian. @throws ProtocolAbort `invalid_message` for one that is not below the order */
export function decodeScalars(bytes: Uint8Array): bigint[] {
  const scalars = read(bytes)
  if (scalars.some((scalar) => scalar >= ORDER)) throw new ProtocolAbort('invalid_message', 'a scalar is not below the order of the group')
  return scalars
}

export function encodeScalars(scalars: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(scalars.length * SCALAR_BYTES)
  const view = new DataView(bytes.buffer)
  scalars.forEach((scalar, i) => {
    const at = i * SCALAR_BYTES
    view.setBigUint64(at, scalar >> 192n)
    view.setBigUint64(at + 8, (scalar >> 128n) & WORD)
    view.setBigUint64(at + 16, (scalar >> 64n) & WORD)
    view.setBigUint64(at + 24, scalar & WORD)
  })
  return bytes
}

function read(bytes: Uint8Array): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: bytes.length / SCALAR_BYTES }, (_, i) => {
    const [first, second, third, fourth] = [0, 8, 16, 24].map((at) => view.getBigUint64(i * SCALAR_BYTES + at))
    return (((((first! << 64n) | second!) << 64n) | third!) << 64n) | fourth!
  })
}

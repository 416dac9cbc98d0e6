import { keccak_256 } from '@noble/hashes/sha3.js'
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { isAddress } from './address.ts'

/** A type of EIP-712 whose values have no parts. */
export type AtomicType = {
  /** What its values look like in JSON, to go on from "must be". */
  readonly expected: string
  /** The 32 bytes that stand for the value in its struct (`encodeData`); undefined for what is no value of the type. */
  encode(value: unknown): Uint8Array | undefined
}

const DECIMAL = /^(0|-?[1-9]\d{0,77})$/
const HEX_NUMBER = /^0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})$/
const HEX_BYTES = /^0x([0-9a-fA-F]{2})*$/
const SIZED = /^(u?int|bytes)([1-9]\d{0,2})$/

const address: AtomicType = {
  expected: 'an address: 0x and 40 hexadecimal digits, in lower case or with their checksum (ERC-55)',
  encode: (value) => (typeof value === 'string' && isAddress(value) ? word(BigInt(value)) : undefined),
}

const bool: AtomicType = {
  expected: 'true or false',
  encode: (value) => (typeof value === 'boolean' ? word(value ? 1n : 0n) : undefined),
}

const bytes: AtomicType = {
  expected: '0x and an even number of hexadecimal digits',
  encode: (value) => (typeof value === 'string' && HEX_BYTES.test(value) ? keccak_256(hexToBytes(value.slice(2))) : undefined),
}

const string: AtomicType = {
  expected: 'text',
  // Half a surrogate pair has no bytes of its own: two texts would be signed as one.
  encode: (value) => (typeof value === 'string' && !/\p{Surrogate}/u.test(value) ? keccak_256(utf8ToBytes(value)) : undefined),
}

const UNSIZED: ReadonlyMap<string, AtomicType> = new Map(Object.entries({ address, bool, bytes, string }))

/** The atomic or dynamic type of this name; undefined when there is none: `uint` and `int` are no names of types here (EIP-712, encodeType). */
export function atomicType(name: string): AtomicType | undefined {
  const unsized = UNSIZED.get(name)
  if (unsized) return unsized
  const [, kind, digits] = SIZED.exec(name) ?? []
  const size = Number(digits)
  if (kind === 'bytes') return size <= 32 ? fixedBytes(size) : undefined
  return kind !== undefined && size <= 256 && size % 8 === 0 ? integer(size, kind === 'int') : undefined
}

function integer(bits: number, signed: boolean): AtomicType {
  const [least, most] = signed ? [-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n] : [0n, (1n << BigInt(bits)) - 1n]
  return {
    expected: `a whole number from ${least} to ${most}, in decimal or, with 0x, in hexadecimal digits without leading zeros; one below 2^53 may be a JSON number`,
    encode(value) {
      const number = readInteger(value)
      return number !== undefined && number >= least && number <= most ? word(BigInt.asUintN(256, number)) : undefined
    },
  }
}

function fixedBytes(length: number): AtomicType {
  return {
    expected: `0x and ${2 * length} hexadecimal digits`,
    encode(value) {
      if (typeof value !== 'string' || value.length !== 2 + 2 * length || !HEX_BYTES.test(value)) return undefined
      const padded = new Uint8Array(32)
      padded.set(hexToBytes(value.slice(2)))
      return padded
    },
  }
}

/** JSON numbers count as far as every reader takes them for the same. */
function readInteger(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  if (typeof value !== 'string') return undefined
  return DECIMAL.test(value) || HEX_NUMBER.test(value) ? BigInt(value) : undefined
}

/** Big-endian; `value` is below 2^256. */
const word = (value: bigint) => hexToBytes(value.toString(16).padStart(64, '0'))

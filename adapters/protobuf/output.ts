import { WIRE } from './cursor.ts'

/**
 * Writing protobuf's wire format into bytes that are large enough. Sizes are worked out beforehand by the functions `…Size`, since a
 * length is written before what it is the length of. Fields are numbered below 16, so that a tag is one byte.
 */
export type Output = { readonly bytes: Buffer; at: number }

/** Of a number up to 2^53. */
export function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size += 1
  return size
}

export const numberSize = (value: number): number => 1 + varintSize(value)

/** Of a field whose value takes `length` bytes: bytes, text, or a message. */
export const delimitedSize = (length: number): number => 1 + varintSize(length) + length

/** The largest signed 64-bit integer as a field. */
export const LARGEST_SIZE = 10

export function writeNumber(output: Output, field: number, value: number): void {
  output.bytes[output.at++] = (field << 3) | WIRE.varint
  writeVarint(output, value)
}

/** The largest signed 64-bit integer, which a double cannot hold. */
export function writeLargest(output: Output, field: number): void {
  output.bytes[output.at++] = (field << 3) | WIRE.varint
  output.bytes.fill(0xff, output.at, output.at + 8)
  output.bytes[output.at + 8] = 0x7f
  output.at += 9
}

/** Begins a field whose value, of `length` bytes, is written next. */
export function writeDelimiter(output: Output, field: number, length: number): void {
  output.bytes[output.at++] = (field << 3) | WIRE.lengthDelimited
  writeVarint(output, length)
}

export function writeBytes(output: Output, field: number, value: Uint8Array): void {
  writeDelimiter(output, field, value.length)
  writeRaw(output, value)
}

/** Fields that are encoded already. */
export function writeRaw(output: Output, encoded: Uint8Array): void {
  output.bytes.set(encoded, output.at)
  output.at += encoded.length
}

/** Text of characters that take one byte each. */
export function writeAscii(output: Output, field: number, value: string): void {
  writeDelimiter(output, field, value.length)
  output.at += output.bytes.write(value, output.at, 'latin1')
}

function writeVarint(output: Output, value: number): void {
  let rest = value
  // Bit operations are for 32 bits only.
  while (rest > 0x7fffffff) {
    output.bytes[output.at++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  while (rest > 0x7f) {
    output.bytes[output.at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  output.bytes[output.at++] = rest
}

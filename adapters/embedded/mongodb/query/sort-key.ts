import type { Binary, ObjectId, Timestamp } from 'bson'
import type { Doc } from '../document.ts'
import { numericValue, typeRank } from './order.ts'
import type { Sort } from './sort.ts'

/**
 * Values of one or more fields as a string of bytes (one per UTF-16 unit) whose order by `<` is BSON's order of the values: after MongoDB's
 * KeyString format. Each value is its type's rank and a form that no other value's form begins with, so that keys of several fields
 * compare field by field, and a key of the first fields is a prefix of all keys that share them.
 */
export type SortKey = string

/** For a key of one value. */
export const ASCENDING: Sort = [['', 1]]

let scratch = Buffer.allocUnsafeSlow(4_096)
let length = 0

function reserve(bytes: number): void {
  if (length + bytes <= scratch.length) return
  const grown = Buffer.allocUnsafeSlow(Math.max(length + bytes, scratch.length * 2))
  scratch.copy(grown, 0, 0, length)
  scratch = grown
}

function writeByte(byte: number): void {
  reserve(1)
  scratch[length++] = byte
}

/** Ends with two zeros, which cannot be within: a zero is followed by a mark there. */
function writeText(text: string): void {
  const escaped = text.includes('\0') ? text.replaceAll('\0', '\0\u00ff') : text
  reserve(escaped.length * 3 + 2)
  length += scratch.write(escaped, length)
  scratch[length++] = 0
  scratch[length++] = 0
}

function writeBytes(bytes: Uint8Array): void {
  reserve(bytes.length)
  scratch.set(bytes, length)
  length += bytes.length
}

/** Negative numbers have all bits flipped, others the sign bit: then the bytes are in the order of the numbers. */
function writeDouble(value: number): void {
  reserve(8)
  scratch.writeDoubleBE(value === 0 ? 0 : value, length)
  const mask = value < 0 ? 0xff : 0
  if (mask === 0) scratch[length]! ^= 0x80
  else for (let i = 0; i < 8; i++) scratch[length + i]! ^= mask
  length += 8
}

/** What a double cannot hold of a 64-bit integer follows it; the spacing of doubles is at most 1024 there. */
function writeNumber(value: number | bigint): void {
  if (Number.isNaN(value)) {
    writeByte(0)
    return
  }
  let double = Number(value)
  let rest = typeof value === 'bigint' ? value - BigInt(double) : 0n
  if (rest < 0n) {
    double = spacedBelow(double)
    rest = (value as bigint) - BigInt(double)
  }
  writeByte(1)
  writeDouble(double)
  reserve(2)
  length = scratch.writeUInt16BE(Number(rest), length)
}

const word = new DataView(new ArrayBuffer(8))

/** The double next to a large one, towards minus infinity. */
function spacedBelow(value: number): number {
  word.setFloat64(0, value)
  word.setBigInt64(0, word.getBigInt64(0) + (value > 0 ? -1n : 1n))
  return word.getFloat64(0)
}

function writeDocument(document: Doc): void {
  for (const field of Object.keys(document)) {
    const value = document[field]
    writeByte(typeRank(value))
    writeText(field)
    writeValue(value)
  }
  writeByte(0)
}

function writeBinary({ buffer, position, sub_type }: Binary): void {
  reserve(5)
  length = scratch.writeUInt32BE(position, length)
  scratch[length++] = sub_type
  writeBytes(buffer.subarray(0, position))
}

function writeValue(value: unknown): void {
  const rank = typeRank(value)
  writeByte(rank)
  switch (rank) {
    case 10:
      writeNumber(numericValue(value))
      break
    case 15:
      writeText(String(value))
      break
    case 20:
      writeDocument(value as Doc)
      break
    case 25:
      for (const element of value as unknown[]) writeValue(element)
      writeByte(0)
      break
    case 30:
      writeBinary(value as Binary)
      break
    case 35:
      writeBytes((value as ObjectId).id)
      break
    case 40:
      writeByte(value ? 1 : 0)
      break
    case 45:
      writeNumber((value as Date).getTime())
      break
    case 47:
      reserve(8)
      length = scratch.writeBigUInt64BE(BigInt.asUintN(64, (value as Timestamp).toBigInt()), length)
      break
    case 50:
    case 60:
      writeText(String(value))
      break
    default:
      break
  }
}

function invert(from: number): void {
  for (let i = from; i < length; i++) scratch[i]! ^= 0xff
}

/** The key of values for the first of `fields`, or for all; descending fields are inverted. */
export function sortKey(values: readonly unknown[], fields: Sort): SortKey {
  length = 0
  for (let i = 0; i < values.length; i++) {
    const from = length
    writeValue(values[i])
    if (fields[i]![1] === -1) invert(from)
  }
  return scratch.toString('latin1', 0, length)
}

/** What the keys of all values have in common that compare with `value` by `<` or `>`, in place of the value's own key. */
export function typeKey(values: readonly unknown[], value: unknown, fields: Sort): SortKey {
  const rank = typeRank(value)
  return sortKey(values, fields) + String.fromCharCode(fields[values.length]![1] === -1 ? rank ^ 0xff : rank)
}

/** Comes after all keys that begin with `prefix`, and before those that come after them. */
export const keyAfter = (prefix: SortKey): SortKey => `${prefix}\u0100`

import { Binary, BSONSymbol, Decimal128, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson'
import { type Doc, isDocument } from '../document.ts'

/** Values of different types sort by this rank; all numbers are one type, and a missing field is null. */
export function typeRank(value: unknown): number {
  if (typeof value === 'string') return 15
  if (typeof value === 'number') return 10
  if (value === undefined || value === null) return 5
  if (typeof value === 'boolean') return 40
  if (Array.isArray(value)) return 25
  if (isDocument(value)) return 20
  if (value instanceof Date) return 45
  if (value instanceof ObjectId) return 35
  if (value instanceof Timestamp) return 47
  if (value instanceof Long || value instanceof Decimal128) return 10
  if (value instanceof Binary) return 30
  if (value instanceof RegExp) return 50
  if (value instanceof BSONSymbol) return 15
  if (value instanceof MinKey) return 1
  if (value instanceof MaxKey) return 127
  return 60
}

type Comparable = number | bigint | string

const compareNative = (a: Comparable, b: Comparable): number => (a < b ? -1 : a > b ? 1 : 0)

/** Of UTF-16 code units, so that surrogates, which stand for what is beyond U+FFFF, come last. */
const codePointOrder = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

/** As the bytes of the texts in UTF-8 compare. */
function compareTexts(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return codePointOrder(x) - codePointOrder(y)
  }
  return a.length - b.length
}

/** JavaScript compares bigint with number exactly, so only Decimal128 loses precision here. */
export function numericValue(value: unknown): number | bigint {
  if (value instanceof Long) return value.toBigInt()
  return value instanceof Decimal128 ? Number(value.toString()) : (value as number)
}

function compareNumbers(a: unknown, b: unknown): number {
  const [x, y] = [numericValue(a), numericValue(b)]
  if (Number.isNaN(x)) return Number.isNaN(y) ? 0 : -1
  return Number.isNaN(y) ? 1 : compareNative(x, y)
}

function compareLists(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = compareValues(a[i], b[i])
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** Field by field in their stored order: type first, then name, then value. */
function compareDocuments(a: Doc, b: Doc): number {
  const [aFields, bFields] = [Object.keys(a), Object.keys(b)]
  for (let i = 0; i < aFields.length && i < bFields.length; i++) {
    const [aField, bField] = [aFields[i]!, bFields[i]!]
    const order = typeRank(a[aField]) - typeRank(b[bField]) || compareTexts(aField, bField) || compareValues(a[aField], b[bField])
    if (order !== 0) return order
  }
  return aFields.length - bFields.length
}

function compareBinary(a: Binary, b: Binary): number {
  return a.position - b.position || a.sub_type - b.sub_type || Buffer.compare(a.buffer, b.buffer)
}

/** The total order of BSON values, used alike for predicates, sorting and index keys. Strings compare as their UTF-8 does. */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return a === b ? 0 : compareTexts(a, b)
  const rank = typeRank(a)
  const difference = rank - typeRank(b)
  if (difference !== 0) return difference
  switch (rank) {
    case 10:
      return compareNumbers(a, b)
    case 15:
      return compareTexts(String(a), String(b))
    case 20:
      return compareDocuments(a as Doc, b as Doc)
    case 25:
      return compareLists(a as unknown[], b as unknown[])
    case 30:
      return compareBinary(a as Binary, b as Binary)
    case 35:
      return compareNative((a as ObjectId).toHexString(), (b as ObjectId).toHexString())
    case 40:
    case 45:
      return compareNative(Number(a), Number(b))
    case 47:
      return compareNative((a as Timestamp).toBigInt(), (b as Timestamp).toBigInt())
    case 50:
    case 60:
      return compareTexts(String(a), String(b))
    default:
      return 0
  }
}

export const equalValues = (a: unknown, b: unknown): boolean => a === b || compareValues(a, b) === 0

import { Long } from 'bson'
import { CommandError } from './errors.ts'

const isInteger = (value: unknown): value is number | Long => value instanceof Long || Number.isSafeInteger(value)

const toBigInt = (value: number | Long): bigint => (value instanceof Long ? value.toBigInt() : BigInt(value))

function fromBigInt(value: bigint): number | Long {
  if (BigInt.asIntN(64, value) !== value) throw new CommandError('BadValue', 'the result does not fit into 64 bits')
  return Number.isSafeInteger(Number(value)) ? Number(value) : Long.fromBigInt(value)
}

/** Integers stay exact up to 64 bits; with a fraction on either side the result is a double. @throws TypeMismatch */
function combine(operator: string, exact: (a: bigint, b: bigint) => bigint, inexact: (a: number, b: number) => number) {
  return (current: unknown, operand: unknown): number | Long => {
    for (const value of [current, operand])
      if (typeof value !== 'number' && !(value instanceof Long))
        throw new CommandError('TypeMismatch', `cannot apply ${operator} to a value of non-numeric type`)
    const [a, b] = [current as number | Long, operand as number | Long]
    if (!isInteger(a) || !isInteger(b)) return inexact(Number(a), Number(b))
    const result = inexact(Number(a), Number(b))
    return Number.isSafeInteger(result) && typeof a === 'number' && typeof b === 'number'
      ? result
      : fromBigInt(exact(toBigInt(a), toBigInt(b)))
  }
}

export const add = combine(
  '$inc',
  (a, b) => a + b,
  (a, b) => a + b,
)

export const multiply = combine(
  '$mul',
  (a, b) => a * b,
  (a, b) => a * b,
)

const BITWISE: { [operator: string]: (a: bigint, b: bigint) => bigint } = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
}

/** @throws BadValue */
export function bitwise(operator: string, current: unknown, operand: unknown): number | Long {
  const operation = BITWISE[operator]
  if (!operation || !isInteger(current) || !isInteger(operand)) throw new CommandError('BadValue', '$bit takes and, or, xor of integers')
  return fromBigInt(operation(toBigInt(current), toBigInt(operand)))
}

import { Decimal128, Long } from 'bson'
import { $push } from 'mingo/operators/accumulator'
import type { Options } from 'mingo/types'
import { add } from '../arithmetic.ts'
import type { Doc } from '../document.ts'
import { compareValues } from './order.ts'

type Accumulator = (documents: Doc[], expression: unknown, options: Options) => unknown

const valuesOf: (...args: Parameters<Accumulator>) => unknown[] = (documents, expression, options) =>
  $push(documents, expression as Doc, options).filter((value) => value !== undefined && value !== null)

const numbersOf = (...args: Parameters<Accumulator>): (number | Long)[] =>
  valuesOf(...args).flatMap((value) => {
    if (value instanceof Decimal128) return [Number(value.toString())]
    return typeof value === 'number' || value instanceof Long ? [value] : []
  })

const extreme =
  (direction: 1 | -1): Accumulator =>
  (...args) =>
    valuesOf(...args).reduce((best, value) => (best === null || compareValues(value, best) * direction > 0 ? value : best), null)

/** `$group`'s accumulators over all of BSON's numbers: mingo's leave 64-bit integers out, silently. */
export const $sum: Accumulator = (documents, expression, options) =>
  typeof expression === 'number' ? documents.length * expression : numbersOf(documents, expression, options).reduce(add, 0)

export const $avg: Accumulator = (...args) => {
  const numbers = numbersOf(...args)
  return numbers.length === 0 ? null : Number(numbers.reduce(add, 0)) / numbers.length
}

export const $min = extreme(-1)

export const $max = extreme(1)

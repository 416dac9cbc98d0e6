import { DomainError } from '../../domain-error.ts'

/** The largest that a chain counts: what fits into 256 bits. */
const MAX_AMOUNT = 2n ** 256n - 1n
const NUMBER = /^[+-]?\d+(\.\d*)?$/
const WHOLE = /^(0|[1-9]\d*)$/
const MAX_DIGITS = 78

/**
 * An amount in base units, as a decimal string, that can be sent: not zero.
 * @throws DomainError `amount_malformed`, `amount_fractional`, `amount_negative`, `amount_zero`, `amount_too_large`
 */
export function readAmount(text: string, pointer: string): bigint {
  const amount = readBaseUnits(text, pointer)
  if (amount === 0n) throw new DomainError('amount_zero', 'there is nothing to move', pointer)
  return amount
}

/** As `readAmount`; it may be zero. */
export function readBaseUnits(text: string, pointer: string): bigint {
  const refuse = (code: ConstructorParameters<typeof DomainError>[0], message: string) => new DomainError(code, message, pointer)
  if (text.length > 2 * MAX_DIGITS) throw refuse('amount_too_large', 'no chain counts that far')
  if (NUMBER.test(text)) {
    if (text.startsWith('-')) throw refuse('amount_negative', 'only what is positive can be moved')
    if (text.includes('.')) throw refuse('amount_fractional', 'amounts are whole numbers of base units, which have no decimals')
  }
  if (!WHOLE.test(text)) throw refuse('amount_malformed', 'an amount is a decimal string of base units, without signs and leading zeros')
  if (text.length > MAX_DIGITS || BigInt(text) > MAX_AMOUNT) throw refuse('amount_too_large', 'no chain counts that far')
  return BigInt(text)
}

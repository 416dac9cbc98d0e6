const USD = /^(0|[1-9]\d{0,14})(\.\d{2})?$/

/** US dollars with two decimals or none. */
export const isUsd = (text: string): boolean => USD.test(text)

/** Cents. */
export const centsOf = (usd: string): bigint => BigInt(usd.includes('.') ? usd.replace('.', '') : `${usd}00`)

/** `12.05` for 1205 cents. */
export function usdOf(cents: bigint): string {
  const digits = String(cents).padStart(3, '0')
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** A number above 0. @throws Error that names the option */
export function positive(option: string, text: string): number {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new Error(`--${option} must be a number above 0, not "${text}"`)
  return value
}

/** A whole number above 0. @throws Error that names the option */
export function wholeNumber(option: string, text: string): number {
  const value = positive(option, text)
  if (!Number.isSafeInteger(value)) throw new Error(`--${option} must be a whole number, not "${text}"`)
  return value
}

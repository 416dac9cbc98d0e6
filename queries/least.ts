/** The least of the values; undefined when one of them is, or there is none. */
export function leastOf<T extends bigint | number>(values: readonly (T | undefined)[]): T | undefined {
  if (values.length === 0) return undefined
  return values.reduce((least, value) => (least === undefined || value === undefined ? undefined : value < least ? value : least))
}

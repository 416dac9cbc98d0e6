/** What assets are worth. */
export interface Prices {
  /**
   * The value of an amount, in base units, of an asset (CAIP-19), in cents of US dollars rounded up; undefined when nothing is known of it.
   * Whoever asks has to take the unknown for the worst case.
   */
  usdCents(asset: string, amount: bigint): bigint | undefined
}

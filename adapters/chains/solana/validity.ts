/** Until when a transaction can be mined: in a block up to that height, or until its durable nonce is used. */
export type Validity = { readonly lastHeight: bigint } | { readonly nonceAccount: string; readonly nonce: string }

export const encodeValidity = (validity: Validity): string =>
  JSON.stringify('nonceAccount' in validity ? validity : { lastHeight: String(validity.lastHeight) })

/** What `encodeValidity` gave. */
export function decodeValidity(encoded: string | null): Validity {
  const { lastHeight, nonceAccount, nonce } = JSON.parse(encoded ?? '{}') as { lastHeight?: string; nonceAccount?: string; nonce?: string }
  if (nonceAccount !== undefined && nonce !== undefined) return { nonceAccount, nonce }
  if (lastHeight !== undefined) return { lastHeight: BigInt(lastHeight) }
  throw new Error('the transaction does not say until when it is valid')
}

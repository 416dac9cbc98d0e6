/** A value that was sealed under a data key of its wallet: `v1.<key>.<base64url of nonce (12 bytes), ciphertext and tag (16)>`. */
export type Sealed = { readonly sealed: string }

/** What is about people: sealed when it is stored, or in the clear where it was stored before such fields were sealed. */
export type Personal<T> = T | Sealed

export function isSealed(value: unknown): value is Sealed {
  return typeof value === 'object' && value !== null && 'sealed' in value && typeof value.sealed === 'string'
}

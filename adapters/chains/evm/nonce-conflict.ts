/** A nonce is its account's: on one chain two accounts can both use the same number. */
export const nonceConflict = (address: string, nonce: number): string => `nonce:${address}:${nonce}`

/** The nonce that a transaction of an EVM chain uses up, by its conflicts. */
export const nonceIn = ([conflict = '']: readonly string[]): bigint => BigInt(conflict.slice(conflict.lastIndexOf(':') + 1))

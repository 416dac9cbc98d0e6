import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { base58 } from '@scure/base'

/** Programs that a transfer is made of, and accounts that they want to be named. */
export const SYSTEM = '11111111111111111111111111111111'
export const COMPUTE_BUDGET = 'ComputeBudget111111111111111111111111111111'
export const MEMO = 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr'
/** Tokens of this program alone: those of Token-2022 may take a fee on the way, or call programs of their issuer's. */
export const TOKEN = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA'
export const ASSOCIATED_TOKEN = 'ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL'
export const RECENT_BLOCKHASHES = 'SysvarRecentB1ockHashes11111111111111111111'

/** Bytes of an account that holds tokens, and of one that holds a durable nonce. */
export const TOKEN_ACCOUNT_BYTES = 165
export const NONCE_ACCOUNT_BYTES = 80

/** Where an owner's tokens of one mint are kept. */
export const tokenAccountOf = (owner: string, mint: string): string =>
  programAddress(
    [owner, TOKEN, mint].map((address) => base58.decode(address)),
    base58.decode(ASSOCIATED_TOKEN),
  )

/** The first address of the program's that is no point of the curve, so that nobody has a key to it. */
function programAddress(seeds: readonly Uint8Array[], program: Uint8Array): string {
  for (let bump = 255; bump >= 0; bump--) {
    const hash = sha256(concatBytes(...seeds, Uint8Array.of(bump), program, utf8ToBytes('ProgramDerivedAddress')))
    if (!isOnCurve(hash)) return base58.encode(hash)
  }
  throw new Error('every address of the program is a point')
}

/** Whether there can be a key to an address; those of programs are made so that there is none. */
export function isOnCurve(bytes: Uint8Array): boolean {
  try {
    ed25519.Point.fromBytes(bytes)
    return true
  } catch {
    return false
  }
}

/** Most levels below the root that a path may have. */
export const MAX_DEPTH = 10

/** From here on indices are hardened, and hardened keys cannot be derived from public ones (BIP-32). */
const FIRST_HARDENED = 2 ** 31

/** A path that is malformed, too long, or hardened. */
export class InvalidDerivationPath extends Error {
  override readonly name = 'InvalidDerivationPath'
  readonly code = 'invalid_derivation_path'
}

/**
 * The indices of a path such as `m/0/5`; those of `m`, the key itself, are none. Every path has one spelling: no leading zeros, no spaces.
 * @throws InvalidDerivationPath
 */
export function parsePath(path: string): readonly number[] {
  const indices = /^m(\/(0|[1-9]\d{0,9}))*$/.test(path) ? path.split('/').slice(1).map(Number) : undefined
  if (!indices || !isDerivationPath(indices))
    throw new InvalidDerivationPath(`a path is m/0/5: at most ${MAX_DEPTH} levels, each from 0 to ${FIRST_HARDENED - 1}`)
  return indices
}

/** Whether keys can be derived along these indices. */
export function isDerivationPath(path: readonly number[]): boolean {
  return path.length <= MAX_DEPTH && path.every((index) => Number.isInteger(index) && index >= 0 && index < FIRST_HARDENED)
}

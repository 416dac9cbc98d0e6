import { secp256k1 } from '@noble/curves/secp256k1.js'

/** Order of the group, and of the field of scalars in which is multiplied: q of DKLs23 (ePrint 2023/765), section 2. */
export const ORDER = secp256k1.Point.Fn.ORDER

/** kappa of DKLs23, section 2: bits of a scalar. */
export const SCALAR_BITS = 256
export const SCALAR_BYTES = SCALAR_BITS / 8

/** lambda_c of DKLs23, section 2: computational security in bits. Also the number of base oblivious transfers: kappa of SoftSpokenOT. */
export const COMPUTATIONAL_SECURITY = 128

/** lambda_s of DKLs23, section 2: statistical security in bits. */
export const STATISTICAL_SECURITY = 80

/** ell of DKLs23, protocol 5.2: how many of Alice's inputs one multiplication takes; signing (protocol 3.6) needs two. */
export const INPUTS = 2

/** xi of DKLs23, protocol 5.2: oblivious transfers per multiplication; the choice bits have 2 lambda_s more than a scalar, for what may leak. */
export const TRANSFERS = SCALAR_BITS + 2 * STATISTICAL_SECURITY

/** rho of DKLs23, protocol 5.2: how many random linear combinations of Alice's inputs Bob checks. */
export const CHECKS = SCALAR_BITS / COMPUTATIONAL_SECURITY

/**
 * sigma of SoftSpokenOT (ePrint 2022/192): bits of the hash that its consistency check compares. As the challenge is hashed too (Fiat-Shamir) who
 * cheats can try many without being seen, so that it takes the computational security and not the statistical.
 */
export const CONSISTENCY_BITS = COMPUTATIONAL_SECURITY

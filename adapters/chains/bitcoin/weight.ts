import type { Scheme } from '../../../domain/threshold/scheme.ts'
import type { Payment } from './psbt.ts'

/** Weight units (BIP-141): four for a byte that all nodes have always seen, one for a byte of a witness. */
const UNITS = 4
/** Version, lock time, and how many inputs and outputs there are, each in a byte; then the marker and flag of BIP-144. */
const FRAME = (4 + 4 + 1 + 1) * UNITS + 2
/** Outpoint, length of no script, sequence; the count of the witness and the length of its first part. */
const BARE_INPUT = (36 + 1 + 4) * UNITS + 2
const SCHNORR_SIGNATURE = 64
/** DER of at most 71 bytes, as s is in the lower half, with the kind of hash; then a key and its length. */
const ECDSA_SIGNATURE_AND_KEY = 72 + 1 + 33

/** Virtual bytes of a transaction, once it is signed, at most. */
export function virtualBytes(scheme: Scheme, inputs: number, outputs: readonly Pick<Payment, 'script'>[]): bigint {
  const input = BARE_INPUT + (scheme === 'frost-secp256k1-tr' ? SCHNORR_SIGNATURE : ECDSA_SIGNATURE_AND_KEY)
  const paid = outputs.reduce((sum, { script }) => sum + (8 + 1 + script.length) * UNITS, 0)
  return BigInt(Math.ceil((FRAME + inputs * input + paid) / UNITS))
}

/** Satoshi per 1,000 virtual bytes below which an output is worth less than to spend it, as nodes have it (`dustrelayfee`). */
const DUST_RATE = 3_000n
/** What spending takes, with a witness and without. */
const [SPENDING_WITNESS, SPENDING] = [67n, 148n]

/** Least amount of an output that nodes relay. */
export function dustLimit({ script }: Pick<Payment, 'script'>): bigint {
  const isWitness = script.length >= 4 && (script[0] === 0 || script[0] === 0x51)
  return ((BigInt(8 + 1 + script.length) + (isWitness ? SPENDING_WITNESS : SPENDING)) * DUST_RATE) / 1_000n
}

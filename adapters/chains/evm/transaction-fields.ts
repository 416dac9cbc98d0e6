import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import type { Hex } from 'viem'
import { parseTransaction, serializeTransaction } from 'viem/utils'
import { withChecksum } from '../../../domain/ethereum/address.ts'
import { TransactionRefused } from '../../../domain/ports/transaction-codec.ts'

/** Per unit of gas, in wei: what EIP-1559 has, or the one price of transactions from before it. */
export type Fees =
  | { readonly kind: 'dynamic'; readonly maxFee: bigint; readonly tip: bigint }
  | { readonly kind: 'legacy'; readonly gasPrice: bigint }

/** The fields that transactions are made of here. Addresses have their checksums. */
export type TransactionFields = {
  readonly chainId: number
  readonly nonce: number
  readonly gas: bigint
  readonly fees: Fees
  readonly to: string
  readonly value: bigint
  readonly data: Uint8Array
}

/** ECDSA; `yParity` is 0 or 1. */
export type EvmSignature = { readonly r: Uint8Array; readonly s: Uint8Array; readonly yParity: number }

/** Those that are written here have at most 200 bytes. */
const MAX_BYTES = 1_024
const MAX_UINT256 = 2n ** 256n - 1n
const MAX_GAS = 2n ** 64n - 1n

/** What is paid for a unit of gas at most, in wei. */
export const gasPriceOf = (fees: Fees): bigint => (fees.kind === 'dynamic' ? fees.maxFee : fees.gasPrice)

/**
 * An unsigned transaction: EIP-1559 (type 2, without an access list), or legacy with the chain id in it (EIP-155). It has to be written as
 * `writeTransaction` would, to the byte: so there is one encoding, and no field that is not looked at.
 * @throws TransactionRefused
 */
export function readTransaction(unsigned: Uint8Array): TransactionFields {
  if (unsigned.length > MAX_BYTES) throw new TransactionRefused(`longer than ${MAX_BYTES} bytes`)
  const parsed = parse(unsigned)
  const { chainId, to, nonce = 0, gas = 0n, value = 0n, data = '0x' } = parsed
  if (chainId === undefined) throw new TransactionRefused('no chain id: it would be good on every chain')
  if (!to) throw new TransactionRefused('without a recipient it makes a contract')
  const fees = feesOf(parsed)
  // Those of fees are in their range, or viem would not have read it.
  if (gas > MAX_GAS || value > MAX_UINT256) throw new TransactionRefused('a number is out of its range')
  if (fees.kind === 'dynamic' && fees.tip > fees.maxFee) throw new TransactionRefused('the priority fee is above the whole fee')
  const fields = { chainId, nonce, gas, fees, to: withChecksum(to.toLowerCase()), value, data: hexToBytes(data.slice(2)) }
  if (bytesToHex(writeTransaction(fields)) !== bytesToHex(unsigned))
    throw new TransactionRefused('not in its one encoding, or with more in it than is known here')
  return fields
}

/** Whom a transaction that was put together here and signed calls, and with what. */
export function callIn(raw: Uint8Array): Pick<TransactionFields, 'to' | 'data'> {
  const { to, data = '0x' } = parse(raw)
  if (!to) throw new TransactionRefused('without a recipient it makes a contract')
  return { to: withChecksum(to.toLowerCase()), data: hexToBytes(data.slice(2)) }
}

/** The transaction unsigned, or with its signature as it is broadcast. */
export function writeTransaction({ fees, to, data, ...fields }: TransactionFields, signature?: EvmSignature): Uint8Array {
  const common = { ...fields, to: to as Hex, data: hexOf(data) }
  const signed = signature && {
    r: hexOf(signature.r),
    s: hexOf(signature.s),
    yParity: signature.yParity,
    v: 27n + BigInt(signature.yParity),
  }
  const hex =
    fees.kind === 'dynamic'
      ? serializeTransaction({ ...common, type: 'eip1559', maxFeePerGas: fees.maxFee, maxPriorityFeePerGas: fees.tip }, signed)
      : serializeTransaction({ ...common, type: 'legacy', gasPrice: fees.gasPrice }, signed)
  return hexToBytes(hex.slice(2))
}

function parse(unsigned: Uint8Array) {
  try {
    return parseTransaction(hexOf(unsigned))
  } catch (cause) {
    throw new TransactionRefused('no transaction', { cause })
  }
}

function feesOf(parsed: ReturnType<typeof parse>): Fees {
  if (parsed.type === 'eip1559') return { kind: 'dynamic', maxFee: parsed.maxFeePerGas ?? 0n, tip: parsed.maxPriorityFeePerGas ?? 0n }
  if (parsed.type === 'legacy') return { kind: 'legacy', gasPrice: parsed.gasPrice ?? 0n }
  throw new TransactionRefused('neither of EIP-1559 nor of the time before')
}

const hexOf = (bytes: Uint8Array): Hex => `0x${bytesToHex(bytes)}`

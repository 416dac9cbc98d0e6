import { hexToBytes } from '@noble/hashes/utils.js'
import { EndpointFailure } from '../rpc/failures.ts'

/** Answers of nodes, as far as they are looked at. What is not as the Execution API has it is no answer: another endpoint is asked. */

export type Block = {
  readonly height: bigint
  readonly hash: string
  readonly parentHash: string
  /** Null before EIP-1559. */
  readonly baseFee: bigint | null
  /** Empty unless they were asked for. */
  readonly transactions: readonly BlockTransaction[]
}

/** Addresses are in lower case. */
export type BlockTransaction = { readonly hash: string; readonly from: string; readonly to: string | null; readonly value: bigint }

export type Receipt = {
  readonly block: { readonly height: bigint; readonly hash: string }
  readonly hasSucceeded: boolean
  /** What it has cost, in wei, with what some rollups charge for their data. */
  readonly fee: bigint
  readonly logs: readonly Log[]
}

/** Topics and data are bytes; the address is in lower case. */
export type Log = { readonly address: string; readonly topics: readonly Uint8Array[]; readonly data: Uint8Array }

type Fields = { readonly [name: string]: unknown }

export const toQuantity = (value: bigint | number): string => `0x${value.toString(16)}`

export function readQuantity(value: unknown): bigint {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{1,64}$/i.test(value)) throw malformed()
  return BigInt(value)
}

export function readHash(value: unknown): string {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{64}$/i.test(value)) throw malformed()
  return value.toLowerCase()
}

export function readBytes(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !/^0x(?:[0-9a-f]{2})*$/i.test(value)) throw malformed()
  return hexToBytes(value.slice(2))
}

export function readList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed()
  return value
}

export function readObject(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed()
  return value as Fields
}

/** Null for a block that the node does not have. */
export function readBlock(value: unknown): Block | null {
  if (value === null) return null
  const { number, hash, parentHash, baseFeePerGas, transactions } = readObject(value)
  return {
    height: readQuantity(number),
    hash: readHash(hash),
    parentHash: readHash(parentHash),
    baseFee: baseFeePerGas === undefined || baseFeePerGas === null ? null : readQuantity(baseFeePerGas),
    transactions: readList(transactions)
      .filter((each) => typeof each !== 'string')
      .map(readTransaction),
  }
}

/** Null for a transaction that is in no block. */
export function readReceipt(value: unknown): Receipt | null {
  if (value === null) return null
  const { blockNumber, blockHash, status, gasUsed, effectiveGasPrice, l1Fee, logs } = readObject(value)
  return {
    block: { height: readQuantity(blockNumber), hash: readHash(blockHash) },
    hasSucceeded: readQuantity(status) === 1n,
    fee: readQuantity(gasUsed) * readQuantity(effectiveGasPrice) + (l1Fee === undefined || l1Fee === null ? 0n : readQuantity(l1Fee)),
    logs: readList(logs).map(readLog),
  }
}

function readTransaction(value: unknown): BlockTransaction {
  const { hash, from, to, value: wei } = readObject(value)
  return {
    hash: readHash(hash),
    from: readAddress(from),
    to: to === null || to === undefined ? null : readAddress(to),
    value: readQuantity(wei),
  }
}

function readLog(value: unknown): Log {
  const { address, topics, data } = readObject(value)
  return { address: readAddress(address), topics: readList(topics).map(readBytes), data: readBytes(data) }
}

function readAddress(value: unknown): string {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{40}$/i.test(value)) throw malformed()
  return value.toLowerCase()
}

const malformed = () => new EndpointFailure('malformed_answer', true)

import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { AccountRole } from '@solana/kit'
import { equalBytes } from '../../../domain/threshold/rounds.ts'
import { ASSOCIATED_TOKEN, COMPUTE_BUDGET, MEMO, RECENT_BLOCKHASHES, SYSTEM, TOKEN, tokenAccountOf } from './programs.ts'

/** One of the few instructions that transfers are made of. Amounts are in base units. */
export type Step =
  | { readonly kind: 'advanceNonce'; readonly account: string; readonly authority: string }
  | { readonly kind: 'unitLimit'; readonly units: number }
  /** In millionths of a lamport for each compute unit. */
  | { readonly kind: 'unitPrice'; readonly price: bigint }
  | { readonly kind: 'memo'; readonly text: string }
  | { readonly kind: 'transfer'; readonly from: string; readonly to: string; readonly lamports: bigint }
  /** Opens the account of the owner for these tokens, unless it is open. */
  | { readonly kind: 'openTokenAccount'; readonly payer: string; readonly owner: string; readonly mint: string }
  | {
      readonly kind: 'transferTokens'
      readonly source: string
      readonly mint: string
      readonly destination: string
      readonly authority: string
      readonly amount: bigint
      readonly decimals: number
    }

export type Instruction = {
  readonly program: string
  readonly accounts: readonly { readonly address: string; readonly role: AccountRole }[]
  readonly data: Uint8Array
}

export const MAX_MEMO_BYTES = 256

const TRANSFER = uint32(2)
const ADVANCE_NONCE = uint32(4)
const UNIT_LIMIT = 2
const UNIT_PRICE = 3
const TRANSFER_CHECKED = 12
const CREATE_IDEMPOTENT = Uint8Array.of(1)

const signer = (address: string) => ({ address, role: AccountRole.READONLY_SIGNER })
const payer = (address: string) => ({ address, role: AccountRole.WRITABLE_SIGNER })
const written = (address: string) => ({ address, role: AccountRole.WRITABLE })
const named = (address: string) => ({ address, role: AccountRole.READONLY })

export function encodeStep(step: Step): Instruction {
  switch (step.kind) {
    case 'advanceNonce':
      return { program: SYSTEM, accounts: [written(step.account), named(RECENT_BLOCKHASHES), signer(step.authority)], data: ADVANCE_NONCE }
    case 'unitLimit':
      return { program: COMPUTE_BUDGET, accounts: [], data: concatBytes(Uint8Array.of(UNIT_LIMIT), uint32(step.units)) }
    case 'unitPrice':
      return { program: COMPUTE_BUDGET, accounts: [], data: concatBytes(Uint8Array.of(UNIT_PRICE), uint64(step.price)) }
    case 'memo':
      return { program: MEMO, accounts: [], data: utf8ToBytes(step.text) }
    case 'transfer':
      return { program: SYSTEM, accounts: [payer(step.from), written(step.to)], data: concatBytes(TRANSFER, uint64(step.lamports)) }
    case 'openTokenAccount': {
      const { owner, mint } = step
      const opened = written(tokenAccountOf(owner, mint))
      return {
        program: ASSOCIATED_TOKEN,
        accounts: [payer(step.payer), opened, named(owner), named(mint), named(SYSTEM), named(TOKEN)],
        data: CREATE_IDEMPOTENT,
      }
    }
    case 'transferTokens': {
      const { source, mint, destination, authority, amount, decimals } = step
      return {
        program: TOKEN,
        accounts: [written(source), named(mint), written(destination), signer(authority)],
        data: concatBytes(Uint8Array.of(TRANSFER_CHECKED), uint64(amount), Uint8Array.of(decimals)),
      }
    }
  }
}

/** Undefined for any instruction but those, and for one of those in any form but the one in which it is encoded here. */
export function decodeStep({
  program,
  accounts,
  data,
}: {
  program: string
  accounts: readonly string[]
  data: Uint8Array
}): Step | undefined {
  const step = stepOf(program, accounts, data)
  if (!step) return undefined
  const encoded = encodeStep(step)
  const isSame =
    encoded.program === program &&
    encoded.accounts.length === accounts.length &&
    encoded.accounts.every(({ address }, index) => address === accounts[index]) &&
    equalBytes(encoded.data, data)
  return isSame ? step : undefined
}

function stepOf(program: string, [first, second, third, fourth]: readonly string[], data: Uint8Array): Step | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  switch (program) {
    case SYSTEM:
      if (data.length === 12 && first && second) return { kind: 'transfer', from: first, to: second, lamports: view.getBigUint64(4, true) }
      return data.length === 4 && first && third ? { kind: 'advanceNonce', account: first, authority: third } : undefined
    case COMPUTE_BUDGET:
      if (data.length === 5) return { kind: 'unitLimit', units: view.getUint32(1, true) }
      return data.length === 9 ? { kind: 'unitPrice', price: view.getBigUint64(1, true) } : undefined
    case MEMO:
      return data.length <= MAX_MEMO_BYTES ? { kind: 'memo', text: new TextDecoder('utf-8', { fatal: true }).decode(data) } : undefined
    case ASSOCIATED_TOKEN:
      return first && third && fourth ? { kind: 'openTokenAccount', payer: first, owner: third, mint: fourth } : undefined
    case TOKEN:
      if (data.length !== 10 || !first || !second || !third || !fourth) return undefined
      return {
        kind: 'transferTokens',
        source: first,
        mint: second,
        destination: third,
        authority: fourth,
        amount: view.getBigUint64(1, true),
        decimals: data[9]!,
      }
    default:
      return undefined
  }
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

function uint64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}

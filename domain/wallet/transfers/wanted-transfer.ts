import { base64ToBytes } from '../../audit/base64.ts'
import { MalformedJson, parseStrictJson, readFields } from '../../json/strict-json.ts'
import { FEE_LEVELS, type FeeLevel } from '../../ports/chain-node.ts'
import { readAmount, readBaseUnits } from './amount.ts'

/** What a client wants moved. Of addresses and ids only their length is known; what they are, the chain has to say. */
export type WantedTransfer = {
  /** CAIP-2. */
  chain: string
  /** CAIP-19. */
  asset: string
  to: string
  /** Base units, not zero. */
  amount: bigint
  fee: FeeLevel
  /** A note for those who read the transfer; it does not leave Quorate. */
  memo: string | null
  /** What its transaction says on the chain, to everybody and for ever. */
  publicMemo: string | null
  /** Null when the wallet is to find the account itself. */
  accountId: string | null
  /** The most that it may cost, in the native coin; null where policy and chain say so. */
  maxFee: bigint | null
  /** The transaction itself as another wallet has made it (BIP-174), base64; null when it is to be made here. */
  psbt: string | null
}

/** What a client wants done faster, at which price. */
export type WantedAcceleration = { fee: FeeLevel; maxFee: bigint | null }

export const MAX_CHAIN_CHARACTERS = 41
export const MAX_ASSET_CHARACTERS = 200
export const MAX_ADDRESS_CHARACTERS = 130
export const MAX_MEMO_CHARACTERS = 256
const MAX_BODY_CHARACTERS = 8 * 1024
export const MAX_PSBT_CHARACTERS = 32 * 1024
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/
/** What people cannot read, or not alike, is nothing that they can approve. */
const UNREADABLE = /[\p{Cc}\p{Cf}\p{Surrogate}]/u

/**
 * What the body of `POST /v1/wallets/:walletId/transfers` asks for. API and parties read it by this function alone, so that what the one shows is what the
 * others check a transaction against.
 * @throws MalformedJson, DomainError `amount_…`
 */
export function readWantedTransfer(body: string): WantedTransfer {
  const { chain, asset, to, amount, memo, publicMemo, accountId, psbt, ...price } = readBody(
    body,
    ['chain', 'asset', 'to', 'amount'],
    ['fee', 'memo', 'publicMemo', 'accountId', 'maxFee', 'psbt'],
    MAX_BODY_CHARACTERS + MAX_PSBT_CHARACTERS,
  )
  if (psbt === undefined && body.length > MAX_BODY_CHARACTERS) throw new MalformedJson('the body is too long')
  if (accountId !== undefined && !(typeof accountId === 'string' && UUID.test(accountId)))
    throw new MalformedJson('accountId must be a UUID in lower case')
  return {
    chain: readText(chain, 'chain', MAX_CHAIN_CHARACTERS),
    asset: readText(asset, 'asset', MAX_ASSET_CHARACTERS),
    to: readText(to, 'to', MAX_ADDRESS_CHARACTERS),
    amount: readAmount(requireText(amount, 'amount'), '/amount'),
    memo: readMemo(memo, 'memo'),
    publicMemo: readMemo(publicMemo, 'publicMemo'),
    accountId: accountId === undefined ? null : accountId,
    psbt: psbt === undefined ? null : readBase64(psbt, 'psbt', MAX_PSBT_CHARACTERS),
    ...readPrice(price),
  }
}

/** What the body of `POST /v1/transfers/:transferId/accelerate` asks for. @throws MalformedJson, DomainError `amount_…` */
export function readWantedAcceleration(body: string): WantedAcceleration {
  return readPrice(readBody(body, ['fee'], ['maxFee']))
}

/** What the body of `POST /v1/transfers/:transferId/cancel` asks for: the most that it may cost. @throws MalformedJson, DomainError `amount_…` */
export function readWantedCancellation(body: string): Pick<WantedAcceleration, 'maxFee'> {
  return { maxFee: readPrice(readBody(body, [], ['maxFee'])).maxFee }
}

function readPrice({ fee = 'normal', maxFee }: { readonly [name: string]: unknown }): WantedAcceleration {
  if (!FEE_LEVELS.includes(fee as FeeLevel)) throw new MalformedJson(`fee must be one of ${FEE_LEVELS.join(', ')}`)
  return { fee: fee as FeeLevel, maxFee: maxFee === undefined ? null : readBaseUnits(requireText(maxFee, 'maxFee'), '/maxFee') }
}

function readBody(body: string, required: readonly string[], optional: readonly string[], maxCharacters = MAX_BODY_CHARACTERS) {
  if (body.length > maxCharacters) throw new MalformedJson('the body is too long')
  return readFields(parseStrictJson(body), required, optional)
}

function readText(value: unknown, name: string, maxCharacters: number): string {
  const text = requireText(value, name)
  if (text.length < 1 || text.length > maxCharacters) throw new MalformedJson(`${name} must have 1 to ${maxCharacters} characters`)
  return text
}

/** In its one spelling (RFC 4648, section 4), so that nothing can be hidden in it. */
function readBase64(value: unknown, name: string, maxCharacters: number): string {
  const text = readText(value, name, maxCharacters)
  if (!base64ToBytes(text)) throw new MalformedJson(`${name} must be base64`)
  return text
}

function requireText(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new MalformedJson(`${name} must be text`)
  return value
}

function readMemo(value: unknown, field: string): string | null {
  if (value === undefined) return null
  if (typeof value === 'string' && value.length >= 1 && value.length <= MAX_MEMO_CHARACTERS && !UNREADABLE.test(value)) return value
  throw new MalformedJson(`${field} must be up to ${MAX_MEMO_CHARACTERS} readable characters`)
}

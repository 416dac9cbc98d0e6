import { base58, bech32, bech32m, createBase58check } from '@scure/base'
import { Address } from '@scure/btc-signer/payment.js'
import { type BTC_NETWORK, hash160, PubT, sha256, validatePubkey } from '@scure/btc-signer/utils.js'
import { DomainError } from '../../../domain/domain-error.ts'
import { InvalidPublicKey } from '../../../domain/ports/chain.ts'
import type { Scheme } from '../../../domain/threshold/scheme.ts'

/** Longest that BIP-173 allows. */
const MAX_CHARACTERS = 90
const base58check = createBase58check(sha256)

/**
 * The address that pays to a key. A key of `frost-secp256k1-tr` carries the tweak of BIP-341 for a tree without scripts already, at every path, and signs
 * with it: it is the output key as it is, and would not sign for an output that was tweaked again.
 * @throws InvalidPublicKey
 */
export function addressOf(network: BTC_NETWORK, scheme: Scheme, publicKey: Uint8Array): string {
  const isTaproot = scheme === 'frost-secp256k1-tr'
  if (!isKey(publicKey, isTaproot ? 32 : 33)) throw new InvalidPublicKey(`no key of ${scheme}`)
  return Address(network).encode(isTaproot ? { type: 'tr', pubkey: publicKey } : { type: 'wpkh', hash: hash160(publicKey) })
}

/** As `Chain.readAddress`. Takes what can be paid to today: P2PKH, P2SH, P2WPKH, P2WSH and P2TR. */
export function readAddress(network: BTC_NETWORK, text: string, pointer: string): string {
  const refuse = (code: Fault, detail: string) => new DomainError(code, detail, pointer)
  let paid: ReturnType<ReturnType<typeof Address>['decode']>
  try {
    paid = Address(network).decode(text)
  } catch {
    const [code, detail] = faultOf(network, text)
    throw refuse(code, detail)
  }
  if (paid.type === 'p2a') throw refuse('address_kind_not_supported', 'anybody could spend what is sent to this address')
  if (paid.type === 'tr' && !isKey(paid.pubkey, 32)) throw refuse('address_malformed', 'nobody could spend what is sent to this address')
  return paid.type === 'pkh' || paid.type === 'sh' ? text : text.toLowerCase()
}

type Fault = 'address_malformed' | 'address_checksum_wrong' | 'address_of_another_network' | 'address_kind_not_supported'

const ELSEWHERE = ['address_of_another_network', 'the address is of another network'] as const
const MISTYPED = ['address_checksum_wrong', 'the checksum is wrong: there is a wrong letter'] as const
const MALFORMED = ['address_malformed', 'this is no address of Bitcoin'] as const

/** What is wrong with a text that is no address of the network. */
function faultOf(network: BTC_NETWORK, text: string): readonly [Fault, string] {
  if (text.length > MAX_CHARACTERS) return MALFORMED
  const segwit = bech32.decodeUnsafe(text) ?? bech32m.decodeUnsafe(text)
  if (segwit) return segwit.prefix === network.bech32 ? faultOfProgram(text) : ELSEWHERE
  if (new RegExp(`^${network.bech32}1[02-9ac-hj-np-z]+$`, 'i').test(text) && !isMixed(text)) return MISTYPED
  const content = decoded(() => base58check.decode(text))
  if (content) return content.length === 21 ? ELSEWHERE : MALFORMED
  return decoded(() => base58.decode(text))?.length === 25 ? MISTYPED : MALFORMED
}

/** What is wrong with a witness program whose characters and network are right (BIP-141, BIP-350). */
function faultOfProgram(text: string): readonly [Fault, string] {
  const modern = bech32m.decodeUnsafe(text)
  const { words } = (modern ?? bech32.decodeUnsafe(text))!
  const [version] = words
  if (version === undefined || version > 16) return MALFORMED
  if (version > 0 !== (modern !== undefined))
    return ['address_checksum_wrong', 'the checksum is that of another version of addresses (BIP-350)']
  const program = bech32.fromWordsUnsafe(words.slice(1))
  if (!program || version === 0 || program.length < 2 || program.length > 40) return MALFORMED
  return ['address_kind_not_supported', 'nothing is known of addresses of this version: what is sent there could be spent by anybody']
}

const isMixed = (text: string) => text !== text.toLowerCase() && text !== text.toUpperCase()

function decoded(decode: () => Uint8Array): Uint8Array | undefined {
  try {
    return decode()
  } catch {
    return undefined
  }
}

/** Whether it is a point of the curve: x-only with 32 bytes, compressed with 33. */
function isKey(bytes: Uint8Array, length: 32 | 33): boolean {
  try {
    return bytes.length === length && validatePubkey(bytes, length === 32 ? PubT.schnorr : PubT.ecdsa) === bytes
  } catch {
    return false
  }
}

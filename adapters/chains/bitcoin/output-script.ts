import { Address, OutScript } from '@scure/btc-signer/payment.js'
import { type BTC_NETWORK, equalBytes } from '@scure/btc-signer/utils.js'

const OP_RETURN = 0x6a
const OP_PUSHDATA1 = 0x4c
const LONGEST_PLAIN_PUSH = 75
/** What nodes relay by default, and have for the longest time. */
export const MAX_MEMO_BYTES = 80
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The script that pays to an address, as `readAddress` gives it. */
export const scriptOf = (network: BTC_NETWORK, address: string): Uint8Array => OutScript.encode(Address(network).decode(address))

/** Whom a script pays; undefined when it is no one that has an address, or when nobody or anybody could spend it. */
export function addressPaidBy(network: BTC_NETWORK, script: Uint8Array): string | undefined {
  try {
    const paid = OutScript.decode(script)
    if (!['pkh', 'sh', 'wpkh', 'wsh', 'tr'].includes(paid.type)) return undefined
    const address = Address(network).encode(paid as Parameters<ReturnType<typeof Address>['encode']>[0])
    return equalBytes(scriptOf(network, address), script) ? address : undefined
  } catch {
    return undefined
  }
}

/** Nobody can spend this output: it carries the text, of 1 to 80 bytes. Undefined when the text does not fit. */
export function memoScript(memo: string): Uint8Array | undefined {
  const text = new TextEncoder().encode(memo)
  if (text.length === 0 || text.length > MAX_MEMO_BYTES || decoder.decode(text) !== memo) return undefined
  return Uint8Array.of(OP_RETURN, ...(text.length > LONGEST_PLAIN_PUSH ? [OP_PUSHDATA1] : []), text.length, ...text)
}

/** The text of a script that `memoScript` has made; undefined of any other. */
export function memoOf(script: Uint8Array): string | undefined {
  if (script[0] !== OP_RETURN) return undefined
  const text = decoder.decode(script.subarray(script[1] === OP_PUSHDATA1 ? 3 : 2))
  const expected = memoScript(text)
  return expected && equalBytes(expected, script) ? text : undefined
}

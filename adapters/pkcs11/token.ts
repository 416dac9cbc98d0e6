import type { Cryptoki, Driver } from './cryptoki.ts'
import { TokenRefused } from './refused.ts'

/** `handle` is what the driver calls the slot by. Text fields are padded in the standard; here they are not. */
export type Token = { handle: Buffer; slot: bigint; label: string; model: string; initialised: boolean; userPinSet: boolean }

/** The tokens present, those not yet initialised too. */
export function listTokens(driver: Driver, cryptoki: Cryptoki): Token[] {
  return cryptoki.C_GetSlotList(true).map((handle) => {
    const { label, model, flags } = cryptoki.C_GetTokenInfo(handle)
    return {
      handle,
      slot: slotNumber(handle),
      label: unpad(label),
      model: unpad(model),
      initialised: (flags & driver.CKF_TOKEN_INITIALIZED) !== 0,
      userPinSet: (flags & driver.CKF_USER_PIN_INITIALIZED) !== 0,
    }
  })
}

/**
 * The initialised token in a slot or with a label, or the only one there is.
 * @throws TokenRefused when there is none or more than one
 */
export function findToken(tokens: readonly Token[], wanted: { slot?: number | undefined; label?: string | undefined }): Token {
  const [token, another] = tokens.filter(
    ({ initialised, slot, label }) =>
      initialised && (wanted.slot === undefined || slot === BigInt(wanted.slot)) && (wanted.label === undefined || label === wanted.label),
  )
  if (!token) throw new TokenRefused('token_not_found', 'no initialised token in the configured slot or with the configured label')
  if (another) throw new TokenRefused('token_ambiguous', 'more than one token fits: configure the slot or the label')
  return token
}

/** A CK_SLOT_ID, which the driver hands out as the bytes of an unsigned long. */
const slotNumber = (handle: Buffer): bigint => BigInt(`0x${Buffer.from(handle).reverse().toString('hex')}`)

const unpad = (text: string): string => text.replace(/[ \0]+$/, '')

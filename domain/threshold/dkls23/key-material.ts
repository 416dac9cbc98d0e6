import { concatBytes } from '@noble/hashes/utils.js'
import { type ByParty, type PartyIndex, ProtocolAbort, type SigningKey } from '../protocol.ts'
import {
  checkShare as checkSharedKey,
  decodePublicPackage,
  decodeShare as decodeSharedKey,
  type Share as SharedKey,
} from '../shared-key/key-material.ts'
import { SETUP_BYTES } from './pairwise-setup.ts'
import { suite } from './suite.ts'

/** Length of a share as every shared key has it, with which a share begins here. */
const SHARED_KEY_BYTES = 66
const ENTRY_BYTES = 1 + SETUP_BYTES

/**
 * Layout: share of the key (66), then for each counterparty, in ascending order: its index (1) ‖ pairwise set-up. Without a set-up with one, the
 * share signs with the others only. The public package is that of every shared key.
 */
export type Share = SharedKey & { readonly setups: ByParty }

export function encodeShare(sharedKey: Uint8Array, setups: ByParty): Uint8Array {
  const entries = [...setups].sort(([a], [b]) => a - b).flatMap(([party, setup]) => [Uint8Array.of(party), setup])
  return concatBytes(sharedKey, ...entries)
}

/**
 * Reads a share and makes sure that the public package is the one it was generated with. Secrets are views, wiped with the share.
 * @throws ProtocolAbort `invalid_key`
 */
export function decodeShare(key: SigningKey): Share {
  const share = decodeSharedKey(suite, sharedKeyOf(key))
  const { parties } = decodePublicPackage(suite, key.publicPackage)
  const setups = new Map<PartyIndex, Uint8Array>()
  let last = 0
  for (let at = SHARED_KEY_BYTES; at < key.share.length; at += ENTRY_BYTES) {
    const party = key.share[at]!
    if (party <= last || party > parties || party === share.self || at + ENTRY_BYTES > key.share.length)
      throw new ProtocolAbort('invalid_key', 'malformed pairwise set-ups in the key share')
    setups.set(party, key.share.subarray(at + 1, at + ENTRY_BYTES))
    last = party
  }
  return { ...share, setups }
}

/** The key without its pairwise set-ups: what is the same for every shared key. */
export function sharedKeyOf({ share, publicPackage }: SigningKey): SigningKey {
  return { share: share.subarray(0, SHARED_KEY_BYTES), publicPackage }
}

/** @throws ProtocolAbort `invalid_key` unless the share is well-formed, of this package, and its secret behind the holder's verifying share */
export function checkShare(key: SigningKey): void {
  decodeShare(key)
  checkSharedKey(suite, sharedKeyOf(key))
}

/**
 * The share without its set-up with one counterparty.
 * @throws ProtocolAbort `invalid_key`, `invalid_parameters` when there can be no such counterparty
 */
export function withoutCounterparty(key: SigningKey, counterparty: PartyIndex): Uint8Array {
  const { self, setups } = decodeShare(key)
  const { parties } = decodePublicPackage(suite, key.publicPackage)
  if (!Number.isInteger(counterparty) || counterparty < 1 || counterparty > parties || counterparty === self)
    throw new ProtocolAbort('invalid_parameters', 'no such counterparty')
  return encodeShare(sharedKeyOf(key).share, new Map([...setups].filter(([party]) => party !== counterparty)))
}

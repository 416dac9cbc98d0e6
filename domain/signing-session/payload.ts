import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { DomainError } from '../domain-error.ts'
import type { WalletPolicy } from '../wallet/policy.ts'

/** What a client wants signed. The bytes that the scheme then signs follow from it, and from nothing else. */
export type Payload = { kind: 'message'; encoding: 'utf8' | 'hex'; data: string } | { kind: 'digest'; data: string }

/**
 * What the scheme signs for this payload; `hash` is the scheme's own treatment of a message.
 * @throws DomainError `raw_digest_not_allowed`
 */
export function messageToSign(payload: Payload, policy: WalletPolicy, hash: (message: Uint8Array) => Uint8Array): Uint8Array {
  if (payload.kind === 'message') return hash(payload.encoding === 'hex' ? hexToBytes(payload.data) : utf8ToBytes(payload.data))
  if (!policy.rawDigests)
    throw new DomainError('raw_digest_not_allowed', "the wallet's policy does not allow bare digests to be signed", '/payload/kind')
  return hexToBytes(payload.data)
}

import type { Scheme } from '../threshold/scheme.ts'
import type { TransactionCodec } from './transaction-codec.ts'

/** A blockchain, as far as it is known without asking one of its nodes. Everything here is pure. */
export type Chain = {
  /** CAIP-2, such as `eip155:1`. */
  readonly id: string
  /** For people. */
  readonly name: string
  /** Keys of these have addresses here. */
  readonly schemes: readonly Scheme[]
  /** CAIP-19 id of the coin that fees are paid in, such as `eip155:1/slip44:60`. */
  readonly nativeAsset: string

  /**
   * The address whose funds signatures by this key move; `publicKey` is what the engine of the scheme says it is, at whatever path.
   * @throws InvalidPublicKey
   */
  addressOf(scheme: Scheme, publicKey: Uint8Array): string

  /**
   * An address that funds can be sent to, in its one spelling. `pointer` says where in the request it stands.
   * @throws DomainError `address_malformed`, `address_checksum_wrong`, `address_of_another_network`, `address_kind_not_supported`
   */
  readAddress(text: string, pointer: string): string

  /**
   * The coin of this chain or a token on it, by its CAIP-19 id. @throws DomainError `asset_unknown`, and as `readAddress` for that of a token
   */
  readAsset(id: string, pointer: string): Asset

  /** Base units of the native coin beyond which a fee is taken for a mistake, or for theft, unless the client or the policy says otherwise. */
  readonly feeCeiling: bigint
  /** Whether transactions of an account are counted, and each needs a nonce of its own. */
  readonly hasNonces: boolean
  /** Loaded when it is needed first: the libraries behind it are large. */
  transactions(): Promise<TransactionCodec>
}

/** `id` is CAIP-19 in its one spelling; `token` is the address of the contract or mint, null for the native coin. */
export type Asset = { readonly id: string; readonly token: string | null }

/** Chains that work alike, which are those of one CAIP-2 namespace. */
export type ChainFamily = {
  /** Those that are there when no others are configured, by CAIP-2 reference. */
  readonly builtIn: readonly string[]
  /** Undefined when the reference can be that of no chain here. */
  chain(reference: string): Chain | undefined
}

/** Those of this deployment, by their ids. */
export type Chains = ReadonlyMap<string, Chain>

/** The bytes are no key of the scheme. */
export class InvalidPublicKey extends Error {
  override readonly name = 'InvalidPublicKey'
  readonly code = 'invalid_public_key'
}

import { DomainError } from '../../domain/domain-error.ts'
import type { Asset, Chain } from '../../domain/ports/chain.ts'

/** Tokens of a chain: their CAIP-19 namespace, and how their addresses are read. */
export type Tokens = { readonly namespace: string; readAddress: Chain['readAddress'] }

/** Reads a CAIP-19 id, `<chain>/<namespace>:<reference>`, as `Chain.readAsset` says; what stands before the slash may be left out. */
export function readAsset(
  { id: chain, nativeAsset }: Pick<Chain, 'id' | 'nativeAsset'>,
  tokens: Tokens | undefined,
  given: string,
  pointer: string,
): Asset {
  const id = given.includes('/') ? given : `${chain}/${given}`
  if (id === nativeAsset) return { id, token: null }
  const prefix = tokens && `${chain}/${tokens.namespace}:`
  if (prefix === undefined || !id.startsWith(prefix))
    throw new DomainError(
      'asset_unknown',
      `an asset of this chain is ${[nativeAsset, ...(prefix ? [`${prefix}…`] : [])].join(' or ')}`,
      pointer,
    )
  const token = tokens!.readAddress(id.slice(prefix.length), pointer)
  return { id: prefix + token, token }
}

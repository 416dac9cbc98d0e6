import type { TypedDataPurpose } from '../ethereum/typed-data.ts'
import type { TransferRules } from './rules.ts'

/**
 * Whether a wallet with these rules signs typed data for that purpose. Many contracts take such a signature for an order to move tokens (permits of ERC-2612 and
 * Permit2, EIP-3009, orders of exchanges), and nobody can know all of them: where anything is said of transfers, what is not named is not signed.
 */
export function allowsTypedData(rules: TransferRules | undefined, { primaryType, contract }: TypedDataPurpose): boolean {
  if (!rules || rules.typedData === 'any') return true
  const named = contract?.toLowerCase()
  return (rules.typedData ?? []).some((rule) => rule.primaryType === primaryType && rule.contract.toLowerCase() === named)
}

import { DomainError } from '../domain/domain-error.ts'
import type { Listed, TransferRules, Value } from '../domain/policy/rules.ts'
import type { Chain, Chains } from '../domain/ports/chain.ts'

/**
 * Refuses rules that could never apply, or would not apply to what they seem to: chains that there are none of, and addresses and assets in another spelling
 * than transfers have. Only the chains know which that is.
 * @throws DomainError `unknown_chain`, `asset_unknown`, `address_…`, `transfer_rules_invalid`, each with the field at fault
 */
export function requireSpelled(chains: Chains, rules: TransferRules | undefined): void {
  if (!rules) return
  const at = '/policy/transfers'
  each(rules.chains, `${at}/chains`, (id, pointer) => requireChain(chains, id, pointer))
  each(rules.assets, `${at}/assets`, (id, pointer) => requireAsset(chains, id, pointer))
  each(rules.destinations, `${at}/destinations`, (id, pointer) => requireDestination(chains, id, pointer))
  for (const [index, { chain }] of (rules.fees ?? []).entries()) requireChain(chains, chain, `${at}/fees/${index}/chain`)
  for (const [index, { atMost }] of (rules.limits ?? []).entries()) requireValue(chains, atMost, `${at}/limits/${index}/atMost`)
  for (const [index, { above }] of (rules.tiers ?? []).entries()) requireValue(chains, above, `${at}/tiers/${index}/above`)
}

function each(list: Listed | undefined, pointer: string, check: (entry: string, pointer: string) => void): void {
  for (const part of ['allow', 'deny'] as const)
    for (const [index, entry] of (list?.[part] ?? []).entries()) check(entry, `${pointer}/${part}/${index}`)
}

function requireValue(chains: Chains, value: Value, pointer: string): void {
  if ('asset' in value) requireAsset(chains, value.asset, `${pointer}/asset`)
}

function requireAsset(chains: Chains, id: string, pointer: string): void {
  const chain = requireChain(chains, id.slice(0, id.indexOf('/')), pointer)
  requireSame(id, chain.readAsset(id, pointer).id, pointer)
}

function requireDestination(chains: Chains, id: string, pointer: string): void {
  const end = id.lastIndexOf(':')
  const chain = requireChain(chains, id.slice(0, end), pointer)
  requireSame(id, `${chain.id}:${chain.readAddress(id.slice(end + 1), pointer)}`, pointer)
}

function requireChain(chains: Chains, id: string, pointer: string): Chain {
  const chain = chains.get(id)
  if (!chain) throw new DomainError('unknown_chain', 'GET /v1/chains lists those that there are', pointer)
  return chain
}

function requireSame(written: string, spelled: string, pointer: string): void {
  if (written !== spelled) throw new DomainError('transfer_rules_invalid', `it has to be written ${spelled}`, pointer)
}

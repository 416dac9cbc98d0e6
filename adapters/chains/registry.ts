import type { Chain, ChainFamily, Chains } from '../../domain/ports/chain.ts'
import { InvalidSetting } from '../process/settings.ts'
import { readChainsFile } from './chains-file.ts'
import type { OpenNode } from './open-node.ts'

/** A kind of chains, and how its nodes are asked; without `openNode` nothing can be asked of them. */
export type FamilyModule = { readonly family: ChainFamily; readonly openNode?: OpenNode }

/** Kinds of chains, by CAIP-2 namespace. */
const FAMILIES: { readonly [namespace: string]: () => Promise<FamilyModule> } = {
  eip155: () => import('./evm/family.ts'),
  bip122: () => import('./bitcoin/family.ts'),
  solana: () => import('./solana/family.ts'),
}

/**
 * The chains of this deployment: those that the file names, or those built in when there is no file.
 * @throws InvalidSetting naming what is wrong with the file
 */
export async function openChains(file: string | undefined): Promise<Chains> {
  const chains = await Promise.all([...(file === undefined ? await builtIn() : (await readChainsFile(file)).keys())].map(chainOf))
  return new Map(chains.map((chain) => [chain.id, chain]))
}

async function builtIn(): Promise<readonly string[]> {
  const ids = Object.entries(FAMILIES).map(async ([namespace, load]) =>
    (await load()).family.builtIn.map((reference) => `${namespace}:${reference}`),
  )
  return (await Promise.all(ids)).flat()
}

async function chainOf(id: string): Promise<Chain> {
  return (await loadChain(id)).chain
}

/** @throws InvalidSetting */
export async function loadChain(id: string): Promise<{ readonly chain: Chain; readonly openNode?: OpenNode }> {
  const [namespace = '', reference = ''] = id.split(':')
  const load = Object.hasOwn(FAMILIES, namespace) ? FAMILIES[namespace] : undefined
  if (!load) throw new InvalidSetting(`QUORATE_CHAINS: "${id}" is of no known kind; there are ${Object.keys(FAMILIES).join(', ')}`)
  const { family, openNode } = await load()
  const chain = family.chain(reference)
  if (chain?.id !== id) throw new InvalidSetting(`QUORATE_CHAINS: "${id}" cannot be the id of a chain`)
  return { chain, openNode }
}

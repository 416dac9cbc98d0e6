import type { ChainNode, ChainNodes } from '../../domain/ports/chain-node.ts'
import { InvalidSetting } from '../process/settings.ts'
import { type ChainSettings, readChainsFile } from './chains-file.ts'
import { loadChain } from './registry.ts'
import type { RpcObserver } from './rpc/endpoint.ts'

/** Nobody is told. */
const UNOBSERVED: RpcObserver = { called: () => {}, changed: () => {} }

/**
 * Those chains of the file that have endpoints; none without a file. Nothing is asked of them yet.
 * @throws InvalidSetting naming what is wrong with the file
 */
export async function openChainNodes(file: string | undefined, observer: RpcObserver = UNOBSERVED): Promise<ChainNodes> {
  const settings = file === undefined ? [] : [...(await readChainsFile(file))]
  const nodes = settings.filter(([, { endpoints }]) => endpoints.length > 0).map(([id, each]) => nodeOf(id, each, observer))
  return new Map((await Promise.all(nodes)).map((node) => [node.chain, node]))
}

async function nodeOf(id: string, settings: ChainSettings, observer: RpcObserver): Promise<ChainNode> {
  const { chain, openNode } = await loadChain(id)
  if (!openNode) throw new InvalidSetting(`QUORATE_CHAINS: ${id}: chains of its kind have no endpoints`)
  return openNode(chain, settings, observer)
}

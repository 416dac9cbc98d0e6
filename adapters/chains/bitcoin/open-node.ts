import { MalformedJson, readFields } from '../../../domain/json/strict-json.ts'
import type { Chain } from '../../../domain/ports/chain.ts'
import type { ChainNode } from '../../../domain/ports/chain-node.ts'
import { InvalidSetting } from '../../process/settings.ts'
import type { ChainSettings } from '../chains-file.ts'
import type { RpcObserver } from '../rpc/endpoint.ts'
import { openRpc } from '../rpc/rpc.ts'
import { esplora, scanningNode } from './coins.ts'
import { bitcoinNodes } from './core-rpc.ts'
import { followingBlocks } from './followed-coins.ts'
import type { Network } from './networks.ts'
import { bitcoinNode } from './node.ts'

/** Blocks, with the transaction's own, that are usual for what counts and for what is final. */
const CONFIRMATIONS = 2
const FINALITY = 6
/** Blocks come every ten minutes. */
const POLL_MS = 15_000

/** As `OpenNode`. */
export function openBitcoinNode(chain: Chain, { parameters }: Network, settings: ChainSettings, observer: RpcObserver): ChainNode {
  const { endpoints, rpc: rpcSettings, confirmations, finality, pollMs = POLL_MS, extra } = settings
  const rpc = openRpc({ chain: chain.id, endpoints, nodes: bitcoinNodes, settings: rpcSettings, observer })
  const index = indexOfAddresses(chain.id, extra)
  return bitcoinNode({
    chain,
    network: parameters,
    rpc,
    coinsOf: index === undefined ? followingBlocks(rpc, parameters, scanningNode(rpc)) : esplora(index, rpc, rpcSettings.timeoutMs),
    confirmations: confirmations ?? Math.min(CONFIRMATIONS, finality ?? CONFIRMATIONS),
    finality: finality ?? Math.max(FINALITY, confirmations ?? FINALITY),
    pollMs,
  })
}

/** `{"esplora": URL}`, without a slash at its end. @throws InvalidSetting */
function indexOfAddresses(id: string, extra: unknown): string | undefined {
  if (extra === undefined) return undefined
  const name = `QUORATE_CHAINS: ${id}: extra`
  try {
    const { esplora: url } = readFields(extra, ['esplora'])
    if (typeof url === 'string' && /^https?:\/\/.*[^/]$/.test(url) && URL.canParse(url)) return url
  } catch (error) {
    if (error instanceof MalformedJson) throw new InvalidSetting(`${name}: ${error.message}`)
    throw error
  }
  throw new InvalidSetting(`${name}: esplora must be an http:// or https:// URL without a slash at its end`)
}

import type { Chain } from '../../domain/ports/chain.ts'
import type { ChainNode } from '../../domain/ports/chain-node.ts'
import type { ChainSettings } from './chains-file.ts'
import type { RpcObserver } from './rpc/endpoint.ts'

/** Opens a chain's nodes without asking them anything yet. The settings have an endpoint at least. @throws InvalidSetting for what it has in `extra` */
export type OpenNode = (chain: Chain, settings: ChainSettings, observer: RpcObserver) => Promise<ChainNode>

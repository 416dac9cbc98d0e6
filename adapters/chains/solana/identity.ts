import type { Nodes } from '../rpc/endpoint.ts'
import { CLUSTERS } from './clusters.ts'

/** Errors of a node that is behind, or has not kept what is asked for (Agave, `rpc-client-api/src/custom_error.rs`). */
const UNABLE = [-32_004, -32_005, -32_007, -32_009, -32_011, -32_014, -32_016]

/** What nodes of a cluster have in common. A local one has another genesis each time: `solana:localnet` is any that is none of those known. */
export const nodesOf = (chain: string): Nodes => ({
  async identify(call) {
    const reference = String(await call('getGenesisHash')).slice(0, 32)
    return chain === 'solana:localnet' && !Object.hasOwn(CLUSTERS, reference) ? chain : `solana:${reference}`
  },
  isUnable: ({ code }) => UNABLE.includes(code),
})

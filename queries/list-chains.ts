import type { Chains } from '../domain/ports/chain.ts'
import { route } from '../http/route.ts'
import { CHAIN, pageOf } from './shapes.ts'

/** Those of this deployment, as it was started. */
export const listChains = (chains: Chains) => {
  const items = [...chains.values()].map(({ id, name, schemes, nativeAsset }) => ({ chain: id, name, schemes, nativeAsset }))
  return route({
    method: 'GET',
    path: '/v1/chains',
    tag: 'accounts',
    summary: 'The chains that accounts can be opened on',
    roles: ['client', 'auditor'],
    answers: { 200: { description: 'All of them', schema: pageOf(CHAIN) } },
    handle: async () => ({ status: 200, body: { items, nextCursor: null } }),
  })
}

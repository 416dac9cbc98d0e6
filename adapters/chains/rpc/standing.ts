import type { Call } from './endpoint.ts'
import type { Rpc } from './rpc.ts'

/**
 * Where something is in the chain, as one node tells it; null when it is not there (any more), which all that answer have to say: one of them may be behind. As long
 * as they do not agree it has no confirmations, so that it is not undone, nor counted on.
 * @throws RpcRefusal, ChainFailure `chain_unavailable`
 */
export async function standingOf<Standing extends { readonly confirmations: number }>(
  rpc: Pick<Rpc, 'ask' | 'askAll'>,
  work: (call: Call) => Promise<Standing | null>,
): Promise<Standing | null> {
  const first = await rpc.ask(work)
  if (first) return first
  const other = (await rpc.askAll(work)).find((standing) => standing !== null)
  return other ? { ...other, confirmations: 0 } : null
}

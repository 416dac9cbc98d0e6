import { DomainError, type DomainErrorCode } from '../domain/domain-error.ts'
import { ChainFailure, type ChainFailureCode, type ChainNode, type ChainNodes } from '../domain/ports/chain-node.ts'

/** How long a request waits for a chain, in milliseconds. */
const WAIT_MS = 10_000

/** What a chain may have against a transfer, as a code of this side, and where in the request that stands. */
const REFUSALS: { readonly [Code in ChainFailureCode]?: readonly [DomainErrorCode, string?] } = {
  insufficient_funds: ['insufficient_funds', '/amount'],
  funds_locked: ['funds_locked', '/amount'],
  dust: ['dust', '/amount'],
  address_kind_not_supported: ['address_kind_not_supported', '/to'],
  memo_not_supported: ['memo_not_supported', '/publicMemo'],
  account_closed: ['account_closed', '/asset'],
  asset_unknown: ['asset_unknown', '/asset'],
  fee_too_high: ['fee_too_high', '/maxFee'],
  reverted: ['transfer_would_revert', '/to'],
  transaction_rejected: ['transaction_rejected'],
  inputs_missing: ['inputs_missing', '/psbt'],
}

/** @throws DomainError `chain_not_connected` */
export function requireNode(nodes: ChainNodes, chain: string): ChainNode {
  const node = nodes.get(chain)
  if (!node) throw new DomainError('chain_not_connected', `${chain} has no endpoint here`, '/chain')
  return node
}

/**
 * What a node answers, in a bounded time, and no longer than anybody waits for it.
 * @throws DomainError `chain_unavailable` when it does not answer; what it refuses by a code of its own, with the field at fault
 */
export async function answerOf<Answer>(asked: Promise<Answer>, signal: AbortSignal, waitMs = WAIT_MS): Promise<Answer> {
  let give: () => void = () => {}
  const late = new Promise<never>((_, reject) => {
    give = () => reject(unavailable('the endpoints of the chain do not answer in time'))
  })
  const timer = setTimeout(give, waitMs)
  signal.addEventListener('abort', give, { once: true })
  if (signal.aborted) give()
  try {
    return await Promise.race([asked, late])
  } catch (error) {
    if (!(error instanceof ChainFailure)) throw error
    const [code, pointer] = REFUSALS[error.code] ?? ['chain_unavailable', '/chain']
    throw new DomainError(code, error.message, pointer)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', give)
  }
}

const unavailable = (message: string) => new DomainError('chain_unavailable', message, '/chain')

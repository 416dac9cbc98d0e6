import { DomainError } from '../../../domain/domain-error.ts'
import { MalformedJson, readFields } from '../../../domain/json/strict-json.ts'
import type { Chain } from '../../../domain/ports/chain.ts'
import type { ChainNode } from '../../../domain/ports/chain-node.ts'
import { InvalidSetting } from '../../process/settings.ts'
import type { ChainSettings } from '../chains-file.ts'
import type { RpcObserver } from '../rpc/endpoint.ts'
import { openRpc } from '../rpc/rpc.ts'
import { readAddress } from './address.ts'
import { nodesOf } from './identity.ts'
import { solanaNode } from './node.ts'

/** Slots, with the transaction's own, that are usual for what counts, some thirteen seconds; for what is final the cluster's own word is needed besides. */
const CONFIRMATIONS = 32
const FINALITY = 32
const POLL_MS = 1_000

/** As `OpenNode`. */
export function openSolanaNode(chain: Chain, settings: ChainSettings, observer: RpcObserver): ChainNode {
  const { endpoints, rpc, confirmations, finality, pollMs = POLL_MS, extra } = settings
  return solanaNode({
    chain,
    rpc: openRpc({ chain: chain.id, endpoints, nodes: nodesOf(chain.id), settings: rpc, observer }),
    confirmations: confirmations ?? Math.min(CONFIRMATIONS, finality ?? CONFIRMATIONS),
    finality: Math.max(finality ?? FINALITY, confirmations ?? 0),
    pollMs,
    nonceAccounts: readNonceAccounts(`QUORATE_CHAINS: ${chain.id}: extra`, extra),
  })
}

/** `{"nonceAccounts": {<address>: <account that holds its durable nonce>}}`. @throws InvalidSetting */
function readNonceAccounts(name: string, extra: unknown): { readonly [address: string]: string } {
  if (extra === undefined) return {}
  try {
    const { nonceAccounts } = readFields(extra, ['nonceAccounts'])
    const accounts = Object.entries(nonceAccounts ?? {})
    for (const address of accounts.flat()) readAddress(String(address), '')
    return Object.fromEntries(accounts) as { [address: string]: string }
  } catch (error) {
    if (!(error instanceof MalformedJson || error instanceof DomainError)) throw error
    throw new InvalidSetting(`${name}: nonceAccounts must be an object of addresses: ${error.message}`)
  }
}

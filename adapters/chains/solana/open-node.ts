import { DomainError } from '../../../domain/domain-error.ts'
import { MalformedJson, readFields } from '../../../domain/json/strict-json.ts'
import type { Chain } from '../../../domain/ports/chain.ts'
import type { ChainNode } from '../../../domain/ports/chain-node.ts'
import { InvalidSetting } from '../../process/settings.ts'
import type { ChainSettings } from '../chains-file.ts'
import type { RpcObserver } from '../rpc/endpoint.ts'
import { openRpc } from '../rpc/rpc.ts'
import { readAddress } from './address.ts'
import type { NonceAccounts } from './building.ts'
import { nodesOf } from './identity.ts'
import { solanaNode } from './node.ts'

/** Slots, with the transaction's own, that are usual for what counts, some thirteen seconds; for what is final the cluster's own word is needed besides. */
const CONFIRMATIONS = 32
const FINALITY = 32
const POLL_MS = 1_000
/** Of one address; each may be asked for whenever a transaction is made. */
const MAX_NONCE_ACCOUNTS = 20

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

/** `{"nonceAccounts": {<address>: <account that holds a durable nonce of its>, or a list of those}}`. @throws InvalidSetting */
function readNonceAccounts(name: string, extra: unknown): NonceAccounts {
  if (extra === undefined) return {}
  try {
    const { nonceAccounts } = readFields(extra, ['nonceAccounts'])
    const accounts = Object.entries(nonceAccounts ?? {}).map(([address, held]) => [readAddress(address, ''), addressesIn(held)] as const)
    const all = accounts.flatMap(([, held]) => held)
    if (new Set(all).size < all.length) throw new MalformedJson('an account stands there twice')
    return Object.fromEntries(accounts)
  } catch (error) {
    if (!(error instanceof MalformedJson || error instanceof DomainError)) throw error
    throw new InvalidSetting(
      `${name}: nonceAccounts must be an object of addresses, or lists of up to ${MAX_NONCE_ACCOUNTS}: ${error.message}`,
    )
  }
}

function addressesIn(held: unknown): readonly string[] {
  const all: readonly unknown[] = Array.isArray(held) ? held : [held]
  if (all.length > MAX_NONCE_ACCOUNTS) throw new MalformedJson('there are too many')
  return all.map((address) => readAddress(String(address), ''))
}

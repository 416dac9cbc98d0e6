import type { CeremonyRequest } from '../../domain/ceremony/messages.ts'
import { keyShareStream } from '../../domain/key-share/events.ts'
import { keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import { type RecordedEvent, Unavailable } from '../../domain/ports/event-log.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import type { WalletEvent } from '../../domain/wallet/events.ts'
import { requireWallet, wallet } from '../../domain/wallet/wallet.ts'
import { type AggregateLog, load } from '../load.ts'
import type { Process } from './process.ts'
import { askEach, CeremonyFailed } from './rounds.ts'

const CONCURRENCY = 4
const TIMEOUT_MS = 5_000

type Change = Extract<WalletEvent, { type: 'PolicyChanged' }>['data']
type Matter = { keyIds: readonly string[]; changes: readonly Change[] }

/**
 * Brings every change of a wallet's policy to all holders of all keys of the wallet, in order. A key that was asked for under an earlier policy than the one that is in force
 * when it is finished hears of what it has missed. Holders may be asked again; the event comes back until each has confirmed.
 */
export function policyChangeProcess({ log, channel }: { log: AggregateLog; channel: PartyChannel }): Process {
  async function react(event: RecordedEvent): Promise<void> {
    const { keyIds, changes } = await matterOf(log, event)
    const outcomes = await Promise.allSettled(keyIds.map((keyId) => bring(keyId, changes)))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  async function bring(keyId: string, changes: readonly Change[]): Promise<void> {
    const { state } = await load(log, { decider: keyShare, stream: keyShareStream(keyId) })
    const { scheme, parties, status, policy } = requireKey(state)
    if (status !== 'active' && status !== 'refreshing') return
    for (const { version, authorisation, approvals } of changes.filter((change) => change.version > policy.version)) {
      const request: CeremonyRequest = { type: 'changePolicy', change: { keyId, version, authorisation, approvals } }
      const attempt = { scheme, kind: 'policy-change', ceremonyId: keyId, attempt: version } as const
      try {
        await askEach(channel, attempt, parties, 'policyChanged', () => ({ round: 1, request, timeoutMs: TIMEOUT_MS }))
      } catch (error) {
        if (!(error instanceof CeremonyFailed)) throw error
        throw new Unavailable(`the policy at ${error.culprits.join(', ')} (${error.code})`, { cause: error })
      }
    }
  }

  return { name: 'policy-change', reactsTo: ['PolicyChanged', 'KeyAttached'], concurrency: CONCURRENCY, react }
}

/** Which keys are to hear of which changes. */
async function matterOf(log: AggregateLog, event: RecordedEvent): Promise<Matter> {
  const happened = event as unknown as WalletEvent
  if (happened.type === 'PolicyChanged') {
    const before = await walletEvents(log, event)
    return { keyIds: before.flatMap((each) => (each.type === 'KeyAttached' ? [each.data.keyId] : [])), changes: [happened.data] }
  }
  if (happened.type !== 'KeyAttached') return { keyIds: [], changes: [] }
  const { state } = await load(log, { decider: wallet, stream: event.stream })
  if (requireWallet(state).policyVersion === 1) return { keyIds: [], changes: [] }
  const changes = (await walletEvents(log, event)).flatMap((each) => (each.type === 'PolicyChanged' ? [each.data] : []))
  return { keyIds: [happened.data.keyId], changes }
}

/** What happened to the wallet before the event. */
async function walletEvents(log: AggregateLog, { stream, revision }: RecordedEvent): Promise<WalletEvent[]> {
  const events: WalletEvent[] = []
  for await (const event of log.readStream(stream)) {
    if (event.revision >= revision) break
    events.push(event as unknown as WalletEvent)
  }
  return events
}

import type { CeremonyRequest } from '../../domain/ceremony/messages.ts'
import { keyShareStream } from '../../domain/key-share/events.ts'
import { keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import { type RecordedEvent, Unavailable } from '../../domain/ports/event-log.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { type WalletEvent, walletStream } from '../../domain/wallet/events.ts'
import { requireWallet, wallet } from '../../domain/wallet/wallet.ts'
import { type AggregateLog, load } from '../load.ts'
import type { Process } from './process.ts'
import { askEach, CeremonyFailed } from './rounds.ts'

export type PolicyChangeDependencies = { log: AggregateLog; channel: PartyChannel }

type PolicyChanged = Extract<WalletEvent, { type: 'PolicyChanged' }>['data']

const CONCURRENCY = 4
const TIMEOUT_MS = 5_000

/**
 * Brings each change of a wallet's policy to all holders of all of its keys, in order. A key that was asked for before a change and attached after
 * it hears of what it has missed. Holders may be asked again; the event comes back until each has confirmed.
 */
export function policyChangeProcess(dependencies: PolicyChangeDependencies): Process {
  const { log } = dependencies
  return {
    name: 'policy-change',
    reactsTo: ['PolicyChanged', 'KeyAttached'],
    concurrency: CONCURRENCY,
    async react(event) {
      const happened = event as unknown as WalletEvent
      if (happened.type === 'KeyAttached') {
        const { state } = await load(log, { decider: wallet, stream: event.stream })
        if (requireWallet(state).policyVersion > 1) await bringPolicyChanges(dependencies, happened.data)
      }
      if (happened.type !== 'PolicyChanged') return
      const keyIds = (await walletEvents(log, event)).flatMap((each) => (each.type === 'KeyAttached' ? [each.data.keyId] : []))
      await allSettled(keyIds.map((keyId) => bring(dependencies, keyId, [happened.data])))
    },
  }
}

/**
 * Has the holders of a key confirm every change of its wallet's policy there has been.
 * @throws Unavailable naming one that has not, when all that can have
 */
export async function bringPolicyChanges(
  dependencies: PolicyChangeDependencies,
  { keyId, walletId }: { keyId: string; walletId: string },
): Promise<void> {
  const events = await walletEvents(dependencies.log, { stream: walletStream(walletId) })
  const changes = events.flatMap((each) => (each.type === 'PolicyChanged' ? [each.data] : []))
  await bring(dependencies, keyId, changes)
}

async function bring({ log, channel }: PolicyChangeDependencies, keyId: string, changes: readonly PolicyChanged[]): Promise<void> {
  const { state } = await load(log, { decider: keyShare, stream: keyShareStream(keyId) })
  const { scheme, parties, status, policy } = requireKey(state)
  if (status === 'failed' || status === 'revoked') return
  const missed = changes.filter((change) => change.version > policy.version)

  async function bringTo(partyId: string): Promise<void> {
    for (const { version, authorisation, approvals } of missed) {
      const request: CeremonyRequest = { type: 'changePolicy', change: { keyId, version, authorisation, approvals } }
      const attempt = { scheme, kind: 'policy-change', ceremonyId: keyId, attempt: version } as const
      try {
        await askEach(channel, attempt, [partyId], 'policyChanged', () => ({ round: 1, request, timeoutMs: TIMEOUT_MS }))
      } catch (error) {
        if (!(error instanceof CeremonyFailed)) throw error
        throw new Unavailable(`the policy at ${partyId} (${error.code})`, { cause: error })
      }
    }
  }

  // One that cannot take a change keeps no other from the next one.
  await allSettled(parties.map(bringTo))
}

/** Waits for all, and throws what the first of those that failed did. */
async function allSettled(works: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(works)) if (outcome.status === 'rejected') throw outcome.reason
}

/** What has happened to a wallet, up to a revision if one is given. */
async function walletEvents(log: AggregateLog, { stream, revision }: Pick<RecordedEvent, 'stream'> & Partial<RecordedEvent>) {
  const events: WalletEvent[] = []
  for await (const event of log.readStream(stream)) {
    if (revision !== undefined && event.revision >= revision) break
    events.push(event as unknown as WalletEvent)
  }
  return events
}

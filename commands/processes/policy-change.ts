import type { CeremonyRequest } from '../../domain/ceremony/messages.ts'
import { keyShareStream } from '../../domain/key-share/events.ts'
import { keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import { type RecordedEvent, Unavailable } from '../../domain/ports/event-log.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import { type WalletEvent, walletStream } from '../../domain/wallet/events.ts'
import { requireWallet, wallet } from '../../domain/wallet/wallet.ts'
import { type AggregateLog, load } from '../load.ts'
import { insist, RefusedForGood } from './insistence.ts'
import type { Process } from './process.ts'
import { askEach } from './rounds.ts'

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
      const before = await walletEvents(log, event)
      const keyIds = before.flatMap((each) => (each.type === 'KeyAttached' ? [each.data.keyId] : []))
      const bringTo = async (keyId: string): Promise<void> => {
        try {
          await bring(dependencies, keyId, [happened.data])
        } catch (error) {
          if (!(error instanceof RefusedForGood)) throw error
          // A holder that was away has missed the changes before this one, which may be under way no longer.
          await bring(dependencies, keyId, [...changesAmong(before), happened.data])
        }
      }
      await allSettled(keyIds.map(bringTo))
    },
  }
}

/**
 * Has the holders of a key confirm every change of its wallet's policy there has been.
 * @throws Unavailable, RefusedForGood naming one that has not, when all that can have
 */
export async function bringPolicyChanges(
  dependencies: PolicyChangeDependencies,
  { keyId, walletId }: { keyId: string; walletId: string },
  options: { evenRevoked: boolean } = { evenRevoked: false },
): Promise<void> {
  const events = await walletEvents(dependencies.log, { stream: walletStream(walletId) })
  await bring(dependencies, keyId, changesAmong(events), options)
}

const changesAmong = (events: readonly WalletEvent[]): PolicyChanged[] =>
  events.flatMap((each) => (each.type === 'PolicyChanged' ? [each.data] : []))

async function bring(
  { log, channel }: PolicyChangeDependencies,
  keyId: string,
  changes: readonly PolicyChanged[],
  { evenRevoked } = { evenRevoked: false },
): Promise<void> {
  const { state } = await load(log, { decider: keyShare, stream: keyShareStream(keyId) })
  const { scheme, parties, status, policy } = requireKey(state)
  if (status === 'failed' || (status === 'revoked' && !evenRevoked)) return
  const missed = changes.filter((change) => change.version > policy.version)

  async function bringTo(partyId: string): Promise<void> {
    for (const { version, authorisation, approvals } of missed) {
      const request: CeremonyRequest = { type: 'changePolicy', change: { keyId, version, authorisation, approvals } }
      const attempt = { scheme, kind: 'policy-change', ceremonyId: keyId, attempt: version } as const
      await insist(`policy ${version} of key ${keyId}`, () =>
        askEach(channel, attempt, [partyId], 'policyChanged', () => ({ round: 1, request, timeoutMs: TIMEOUT_MS })),
      )
    }
  }

  // One that cannot take a change keeps no other from the next one.
  await allSettled(parties.map(bringTo))
}

/** Waits for all, and throws what one of those that failed did: as long as anything may still succeed, one that may. */
async function allSettled(works: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(works)
  const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  if (reasons.length > 0) throw reasons.find((reason) => reason instanceof Unavailable) ?? reasons[0]
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

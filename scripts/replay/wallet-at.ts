import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { account, type ExistingAccount, requireAccount } from '../../domain/account/account.ts'
import { ACCOUNT_STREAMS } from '../../domain/account/events.ts'
import type { Decider } from '../../domain/decider.ts'
import { currentEvent } from '../../domain/event-catalogue.ts'
import { KEY_SHARE_STREAMS } from '../../domain/key-share/events.ts'
import { type ExistingKeyShare, keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import { SIGNING_SESSION_STREAMS } from '../../domain/signing-session/events.ts'
import { type ExistingSession, requireSession, signingSession } from '../../domain/signing-session/signing-session.ts'
import { WALLET_STREAMS, walletStream } from '../../domain/wallet/events.ts'
import { type ExistingWallet, requireWallet, wallet } from '../../domain/wallet/wallet.ts'
import { hadHappened, type Moment } from './moment.ts'

type Published<State> = Omit<State, 'authorisation' | 'approvedBy'>

/** What the log says of a wallet at a moment, and what it was said by. */
export type WalletAt = {
  wallet: ExistingWallet
  keys: Published<ExistingKeyShare>[]
  sessions: Published<ExistingSession>[]
  accounts: ExistingAccount[]
  events: number
  /** Position of the last event read, as a decimal string. */
  position: string
  /** Hex SHA-256 over one line per event, in the log's order: its canonical JSON (RFC 8785) and a newline. */
  digest: string
}

/**
 * A wallet, its keys, signing sessions and accounts as of a moment, from the events of the log alone.
 * @throws DomainError `wallet_not_found` when there was no such wallet yet, EventUnreadable when one of those events cannot be read
 */
export async function walletAt(log: AsyncIterable<RecordedEvent>, walletId: string, moment: Moment): Promise<WalletAt> {
  const hash = createHash('sha256')
  const wallets = states(wallet, WALLET_STREAMS)
  const keys = states(keyShare, KEY_SHARE_STREAMS)
  const sessions = states(signingSession, SIGNING_SESSION_STREAMS)
  const accounts = states(account, ACCOUNT_STREAMS)
  let events = 0
  let position = 0n
  for await (const event of log) {
    if (!isOf(walletId, event) || !hadHappened(event, moment)) continue
    hash.update(`${canonicalEvent(event)}\n`)
    const current = currentEvent(event)
    for (const { follow } of [wallets, keys, sessions, accounts]) follow(current)
    events++
    position = event.position
  }
  return {
    wallet: requireWallet(wallets.all().next().value ?? wallet.initial),
    keys: [...keys.all()].map((state) => published(requireKey(state))),
    sessions: [...sessions.all()].map((state) => published(requireSession(state))),
    accounts: [...accounts.all()].map(requireAccount),
    events,
    position: position.toString(),
    digest: hash.digest('hex'),
  }
}

/** Whether an event is about the wallet. What cannot be read of another one is none of its business. */
function isOf(walletId: string, { stream, data }: RecordedEvent): boolean {
  return stream === walletStream(walletId) || (data as { walletId?: unknown } | null | undefined)?.walletId === walletId
}

/** The state of every stream of one kind, from the events it is told of. */
function states<State, Event>({ initial, evolve }: Decider<State, never, Event>, prefix: string) {
  const byStream = new Map<string, State>()
  return {
    follow(event: RecordedEvent): void {
      if (event.stream.startsWith(prefix))
        byStream.set(event.stream, evolve(byStream.get(event.stream) ?? initial, event as unknown as Event))
    },
    all: () => byStream.values(),
  }
}

/** An event as canonical JSON (RFC 8785); 64-bit numbers are decimal strings. */
export function canonicalEvent({ id, type, stream, revision, position, recordedAt, data, metadata }: RecordedEvent): string {
  return canonicalize({
    id,
    type,
    stream,
    revision: revision.toString(),
    position: position.toString(),
    recordedAt,
    data,
    metadata,
  }) as string
}

/** Without what could be shown to the parties again. */
function published<State extends { authorisation: unknown; approvedBy?: unknown }>(state: State): Published<State> {
  const { authorisation: _, approvedBy: __, ...rest } = state
  return rest
}

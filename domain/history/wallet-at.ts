import { account, type ExistingAccount, requireAccount } from '../account/account.ts'
import { ACCOUNT_STREAMS } from '../account/events.ts'
import type { Decider } from '../decider.ts'
import { currentEvent } from '../event-catalogue.ts'
import { KEY_SHARE_STREAMS } from '../key-share/events.ts'
import { type ExistingKeyShare, keyShare, requireKey } from '../key-share/key-share.ts'
import type { RecordedEvent } from '../ports/event-log.ts'
import { SIGNING_SESSION_STREAMS } from '../signing-session/events.ts'
import { type ExistingSession, requireSession, signingSession } from '../signing-session/signing-session.ts'
import { WALLET_STREAMS } from '../wallet/events.ts'
import { type ExistingWallet, requireWallet, wallet } from '../wallet/wallet.ts'
import { digestOf, type Hashing } from './digest.ts'
import { hadHappened, type Moment } from './moment.ts'
import { published } from './published.ts'
import { isOfWallet } from './selection.ts'

/** What the log says of a wallet at a moment, as `published` shows it, and what it was said by. */
export type WalletAt = {
  wallet: ExistingWallet
  keys: ExistingKeyShare[]
  sessions: ExistingSession[]
  accounts: ExistingAccount[]
  events: number
  /** Position of the last event read, as a decimal string. */
  position: string
  /** As `digestOf` makes it, hex. */
  digest: string
}

/**
 * A wallet, its keys, signing sessions and accounts as of a moment, from the events of the log alone.
 * @throws DomainError `wallet_not_found` when there was no such wallet yet, EventUnreadable when one of those events cannot be read
 */
export async function walletAt(
  history: AsyncIterable<RecordedEvent> | Iterable<RecordedEvent>,
  walletId: string,
  moment: Moment,
  hash: Hashing,
): Promise<WalletAt> {
  const digest = digestOf(hash)
  const wallets = states(wallet, WALLET_STREAMS)
  const keys = states(keyShare, KEY_SHARE_STREAMS)
  const sessions = states(signingSession, SIGNING_SESSION_STREAMS)
  const accounts = states(account, ACCOUNT_STREAMS)
  let position = 0n
  // Clocks differ: nothing that follows a later event in its stream has happened before it.
  const ended = new Set<string>()
  for await (const event of history) {
    if (!isOfWallet(event, walletId) || ended.has(event.stream)) continue
    if (!hadHappened(event, moment)) {
      ended.add(event.stream)
      continue
    }
    digest.add(event)
    const current = currentEvent(event)
    for (const { follow } of [wallets, keys, sessions, accounts]) follow(current)
    position = event.position
  }
  return {
    wallet: published(requireWallet(wallets.all().next().value ?? wallet.initial)),
    keys: [...keys.all()].map((state) => published(requireKey(state))),
    sessions: [...sessions.all()].map((state) => published(requireSession(state))),
    accounts: [...accounts.all()].map(requireAccount),
    events: digest.events(),
    position: position.toString(),
    digest: digest.hex(),
  }
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

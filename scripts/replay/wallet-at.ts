import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { fold } from '../../domain/decider.ts'
import type { KeyShareEvent } from '../../domain/key-share/events.ts'
import { type ExistingKeyShare, keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import type { SigningSessionEvent } from '../../domain/signing-session/events.ts'
import { type ExistingSession, requireSession, signingSession } from '../../domain/signing-session/signing-session.ts'
import type { WalletEvent } from '../../domain/wallet/events.ts'
import { type ExistingWallet, requireWallet, wallet } from '../../domain/wallet/wallet.ts'
import { hadHappened, type Moment } from './moment.ts'

/** What the log says of a wallet at a moment, and what it was said by. */
export type WalletAt = {
  wallet: ExistingWallet
  keys: Omit<ExistingKeyShare, 'authorisation'>[]
  sessions: Omit<ExistingSession, 'authorisation'>[]
  events: number
  /** Position of the last event read, as a decimal string. */
  position: string
  /** Hex SHA-256 over one line per event, in the log's order: its canonical JSON (RFC 8785) and a newline. */
  digest: string
}

/**
 * A wallet, its keys and its signing sessions as of a moment, from the events of the log alone.
 * @throws DomainError `wallet_not_found` when there was no such wallet yet
 */
export async function walletAt(log: AsyncIterable<RecordedEvent>, walletId: string, moment: Moment): Promise<WalletAt> {
  const hash = createHash('sha256')
  const streams = new Map<string, RecordedEvent[]>()
  let events = 0
  let position = 0n
  for await (const event of log) {
    if ((event.data as { walletId?: unknown }).walletId !== walletId || !hadHappened(event, moment)) continue
    hash.update(`${canonicalEvent(event)}\n`)
    streams.set(event.stream, [...(streams.get(event.stream) ?? []), event])
    events++
    position = event.position
  }
  const kind = (prefix: string) => [...streams].filter(([stream]) => stream.startsWith(prefix)).map(([, recorded]) => recorded)
  return {
    wallet: requireWallet(fold(wallet, kind('wallet-').flat() as unknown as WalletEvent[])),
    keys: kind('keyShare-').map((recorded) => published(requireKey(fold(keyShare, recorded as unknown as KeyShareEvent[])))),
    sessions: kind('signingSession-').map((recorded) =>
      published(requireSession(fold(signingSession, recorded as unknown as SigningSessionEvent[]))),
    ),
    events,
    position: position.toString(),
    digest: hash.digest('hex'),
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

function published<State extends { authorisation: unknown }>({ authorisation: _, ...state }: State): Omit<State, 'authorisation'> {
  return state
}

import { createHash } from 'node:crypto'
import { type HistorySources, readStreamOf, readWallet } from '../../audit/history.ts'
import { DomainError } from '../../domain/domain-error.ts'
import type { Moment } from '../../domain/history/moment.ts'
import { published } from '../../domain/history/published.ts'
import { type Evolution, streamAt } from '../../domain/history/stream-at.ts'
import { type TransferAt, transferIn } from '../../domain/history/transfer-at.ts'
import { walletAt } from '../../domain/history/wallet-at.ts'
import { keyShareStream } from '../../domain/key-share/events.ts'
import { keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import { requireSession, signingSession } from '../../domain/signing-session/signing-session.ts'
import { requireAssigned, transferAssignment } from '../../domain/transfer/assignment.ts'
import { transferStream } from '../../domain/transfer/events.ts'
import { walletStream } from '../../domain/wallet/events.ts'

/** What is to be replayed. */
export type Subject = { readonly kind: 'wallet' | 'key' | 'session' | 'transfer'; readonly id: string }

/** What it was, and of which events that was made. */
export type SubjectAt = {
  readonly state: { readonly [part: string]: unknown }
  readonly events: number
  readonly position: string
  readonly digest: string
}

/** `onScan` is told when the whole log has to be read. @throws DomainError when there was no such thing yet */
export function subjectAt(sources: HistorySources, { kind, id }: Subject, moment: Moment, onScan: () => void): Promise<SubjectAt> {
  switch (kind) {
    case 'wallet':
      return walletAsItWas(sources, id, moment, onScan)
    case 'key':
      return atStream(sources, keyShareStream(id), keyShare, moment, (state) => ({ key: requireKey(state) }))
    case 'session':
      return atStream(sources, signingSessionStream(id), signingSession, moment, (state) => ({ session: requireSession(state) }))
    case 'transfer':
      return transferAsItWas(sources, id, moment)
  }
}

async function walletAsItWas(sources: HistorySources, id: string, moment: Moment, onScan: () => void): Promise<SubjectAt> {
  const { events, position, digest, ...state } = await walletAt(readWallet(sources, id, onScan), id, moment, createHash('sha256'))
  return { state, events, position, digest }
}

/** Found by the stream that says which wallet it is of; the events are those of the wallet's own stream. */
async function transferAsItWas(sources: HistorySources, id: string, moment: Moment): Promise<SubjectAt> {
  const assigned = await streamAt(readStreamOf(sources, transferStream(id)), transferAssignment, undefined, createHash('sha256'))
  const { walletId } = requireAssigned(assigned.state)
  return atStream(sources, walletStream(walletId), transferIn(id), moment, ({ transfer }) => ({ transfer: requireSome(transfer) }))
}

function requireSome(transfer: TransferAt | undefined): TransferAt {
  if (!transfer) throw new DomainError('transfer_not_found', 'there was no such transfer yet')
  return transfer
}

async function atStream<State, Event>(
  sources: HistorySources,
  stream: string,
  evolution: Evolution<State, Event>,
  moment: Moment,
  shown: (state: State) => SubjectAt['state'],
): Promise<SubjectAt> {
  const { state, ...found } = await streamAt(readStreamOf(sources, stream), evolution, moment, createHash('sha256'))
  return { state: published(shown(state)), ...found }
}

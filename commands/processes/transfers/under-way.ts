import type { RecordedEvent } from '../../../domain/ports/event-log.ts'
import type { SigningSessionEvent } from '../../../domain/signing-session/events.ts'
import type { WalletEvent } from '../../../domain/wallet/events.ts'

/** Whose transfers are gone on with one after another: what they use up, they must not use up twice. */
export type Payer = { walletId: string; accountId: string }

/** Where a session that signs for a transfer is, as far as the log has been read. */
export type SessionStage = 'requested' | 'ended'

/** What has begun and not ended, as far as the log has been read. It says whose turn it is; what is true is in the aggregate. */
export type UnderWay = {
  /** `after` is the position of what was read before it. */
  note(event: RecordedEvent, after: bigint | undefined): void
  /** Whose payers an event may give something to do. */
  touched(event: RecordedEvent): readonly string[]
  /** All payers with transfers on a chain. */
  payersOn(chain: string): readonly string[]
  /** All of those whose time has come: to expire, or not to wait any longer. Each is told once for each time. */
  due(now: number): readonly string[]
  /** Undefined for one that was not asked for. */
  session(id: string): SessionStage | undefined
  /** The event that asked for a transfer, without what it asked for: what is done for it is done in answer to that. */
  requested(transferId: string): RecordedEvent | undefined
  oldest(): { after: bigint | undefined } | undefined
}

type OpenTransfer = {
  payer: string
  chain: string
  requested: RecordedEvent
  after: bigint | undefined
  /** Milliseconds since the epoch. */
  times: number[]
  sessions: Set<string>
}

const ENDS: readonly string[] = [
  'TransferFinalized',
  'TransferReverted',
  'TransferCancelled',
  'TransferReplaced',
  'TransferDropped',
  'TransferFailed',
  'TransferRejected',
  'TransferExpired',
] satisfies WalletEvent['type'][]

const SESSION_ENDS: readonly string[] = [
  'SignatureProduced',
  'SigningFailed',
  'SigningExpired',
  'SigningCancelled',
] satisfies SigningSessionEvent['type'][]

/** What may let all transfers of a wallet go on. */
const CHANGES_OF_WALLET: readonly string[] = ['WalletUnfrozen', 'PolicyChanged'] satisfies WalletEvent['type'][]

const isRejection = (event: WalletEvent | SigningSessionEvent) =>
  event.type === 'TransferApprovalRejected' && event.data.status === 'rejected'

/** No id has a slash in it. */
export const payerKey = ({ walletId, accountId }: Payer): string => `${walletId}/${accountId}`

export function payerOf(key: string): Payer {
  const [walletId = '', accountId = ''] = key.split('/')
  return { walletId, accountId }
}

export function transfersUnderWay(): UnderWay {
  /** In the order of the log. */
  const transfers = new Map<string, OpenTransfer>()
  const sessions = new Map<string, { transferId: string; stage: SessionStage }>()

  const end = (transferId: string) => {
    for (const id of transfers.get(transferId)?.sessions ?? []) sessions.delete(id)
    transfers.delete(transferId)
  }

  return {
    note(recorded, after) {
      const event = recorded as RecordedEvent & (WalletEvent | SigningSessionEvent)
      if (event.type === 'TransferRequested') {
        const { transferId, walletId, accountId, chain, deadline, requires } = event.data
        const times = [deadline, requires.notBefore].flatMap((time) => (time === null ? [] : [Date.parse(time)]))
        const requested = { ...recorded, data: { transferId } }
        transfers.set(transferId, { payer: payerKey({ walletId, accountId }), chain, requested, after, times, sessions: new Set() })
      } else if (event.type === 'SigningRequested') {
        const { sessionId, payload } = event.data
        const transfer = payload.kind === 'transaction' ? transfers.get(payload.transferId) : undefined
        if (payload.kind !== 'transaction' || !transfer) return
        transfer.sessions.add(sessionId)
        sessions.set(sessionId, { transferId: payload.transferId, stage: 'requested' })
      } else if (SESSION_ENDS.includes(event.type)) {
        const session = sessions.get((event.data as { sessionId: string }).sessionId)
        if (session) session.stage = 'ended'
      } else if (ENDS.includes(event.type) || isRejection(event)) end((event.data as { transferId: string }).transferId)
    },

    touched({ type, data }) {
      const { walletId, transferId, sessionId } = data as { walletId?: string; transferId?: string; sessionId?: string }
      if (CHANGES_OF_WALLET.includes(type))
        return unique([...transfers.values()].map(({ payer }) => payer).filter((key) => payerOf(key).walletId === walletId))
      const id = transferId ?? (sessionId !== undefined && SESSION_ENDS.includes(type) ? sessions.get(sessionId)?.transferId : undefined)
      const transfer = id === undefined ? undefined : transfers.get(id)
      return transfer ? [transfer.payer] : []
    },

    payersOn: (chain) => unique([...transfers.values()].filter((each) => each.chain === chain).map(({ payer }) => payer)),

    due(now) {
      const found: string[] = []
      for (const transfer of transfers.values()) {
        const left = transfer.times.filter((time) => time > now)
        if (left.length < transfer.times.length) found.push(transfer.payer)
        transfer.times = left
      }
      return unique(found)
    },

    session: (id) => sessions.get(id)?.stage,
    requested: (transferId) => transfers.get(transferId)?.requested,
    oldest: () => transfers.values().next().value,
  }
}

const unique = (keys: readonly string[]): readonly string[] => [...new Set(keys)]

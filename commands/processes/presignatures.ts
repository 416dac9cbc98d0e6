import { randomUUID } from 'node:crypto'
import { keyShareStream } from '../../domain/key-share/events.ts'
import { type KeyShareCommand, keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import { execute } from '../execute.ts'
import { type AggregateLog, load } from '../load.ts'
import type { Process } from './process.ts'
import type { PresignatureCounts } from './stock.ts'
import type { StockedKey, StockKeeping } from './stock-keeping.ts'

const NAME = 'presignatures'
const CONCURRENCY = 16
/** Keys made longer ago are stocked when they are used. */
const LATELY_MS = 15 * 60_000

/** Has openings made ahead for new keys and new shares, and drops those of keys that are revoked. */
export function presignaturesProcess({ log, presignatures }: { log: AggregateLog; presignatures: StockKeeping }): Process {
  return {
    name: NAME,
    reactsTo: ['KeyGenerationCompleted', 'KeyRefreshCompleted', 'KeyRevoked'],
    concurrency: CONCURRENCY,
    async react({ stream, recordedAt, data }) {
      const { keyId } = data as { keyId: string }
      if (Date.now() - Date.parse(recordedAt) > LATELY_MS) return
      const { status, publicKey, ...key } = requireKey((await load(log, { decider: keyShare, stream })).state)
      if (status === 'active' && publicKey !== null) presignatures.use({ ...key, publicKey })
      else presignatures.retire(keyId)
    },
  }
}

/** Writes into the key's stream what has become of its presignatures. */
export const recordPresignatures = (log: AggregateLog) => (key: StockedKey, counts: PresignatureCounts) => {
  const commandId = randomUUID()
  return execute(
    log,
    { decider: keyShare, stream: keyShareStream(key.keyId) },
    (): KeyShareCommand => ({ type: 'CountPresignatures', ...counts }),
    { commandId, correlationId: commandId, causationId: commandId, actor: NAME, tenant: key.tenant },
  )
}

import { createHash } from 'node:crypto'
import { readSettings } from '../../../adapters/process/settings.ts'
import { canonicalEvent } from '../../../domain/audit/canonical-event.ts'
import { openLog } from '../../history/log.ts'

/** What reading the whole log came to; the digest is that of a replay, over every event. */
export type DigestOfLog = { events: number; digest: string; milliseconds: number; walletId: string | undefined }

const { log, close } = await openLog(readSettings(process.env))
try {
  const hash = createHash('sha256')
  let events = 0
  let walletId: string | undefined
  const began = performance.now()
  for await (const event of log.readAll()) {
    hash.update(`${canonicalEvent(event)}\n`)
    walletId ??= (event.data as { walletId?: string }).walletId
    events++
  }
  const result: DigestOfLog = { events, digest: hash.digest('hex'), milliseconds: performance.now() - began, walletId }
  process.stdout.write(JSON.stringify(result))
} finally {
  await close()
}

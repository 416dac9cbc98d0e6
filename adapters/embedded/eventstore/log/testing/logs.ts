import { randomUUID } from 'node:crypto'
import type { ProposedEvent, RecordedEvent } from '../event.ts'
import { type Log, openLog } from '../log.ts'
import { createMemoryStorage } from '../memory-storage.ts'
import type { Storage } from '../storage.ts'

/** What tests of the log share. */

export const events = (...types: string[]): ProposedEvent[] =>
  types.map((type) => ({ id: randomUUID(), type, json: false, data: Buffer.from(`data of ${type}`), metadata: Buffer.from('{}') }))

/** One commit of one append. */
export function append(log: Log, stream: string, appended: readonly ProposedEvent[], created = 1): void {
  log.stage(() => log.append(stream, appended, created))
  log.commit()
}

export const openQuietly = (storage: Storage, segmentBytes?: number): Log => openLog(storage, () => {}, segmentBytes)

export const typesOf = ({ events }: { events: readonly { type: string }[] }): string[] => events.map(({ type }) => type)

/** Every event of a log, in order. */
export function everything(log: Log): RecordedEvent[] {
  const found: RecordedEvent[] = []
  for (let next: number | undefined = 1; next !== undefined; ) {
    const page = log.readAll(next, 'forwards', Number.POSITIVE_INFINITY)
    found.push(...page.events)
    next = page.next
  }
  return found
}

/** The bytes of a storage's segments, by number. */
export type Bytes = Map<number, Buffer>

export function bytesOf(storage: Storage): Bytes {
  return new Map(
    storage.segments().map(({ number, length }) => {
      const bytes = Buffer.alloc(length)
      storage.read(number, 0, bytes)
      return [number, bytes]
    }),
  )
}

export function storageOf(bytes: Bytes): Storage {
  const storage = createMemoryStorage()
  for (const [number, content] of bytes) storage.create(number, content)
  return storage
}

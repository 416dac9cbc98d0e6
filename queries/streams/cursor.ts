/** Where a reader is in the log: opaque to it, and the same whichever process gave it out. */
import { hash } from 'node:crypto'
import type { EventLog } from '../../domain/ports/event-log.ts'

/** Before every event. */
export const BEGINNING = -1n

/** `origin` tells logs apart: it is made of the first event there is. Everything up to `position` has been considered. */
export type Cursor = { origin: string; position: bigint }

const TEXT = /^1\.([\da-f]{16})\.(\d{1,20}|-1)$/

export const encodeCursor = ({ origin, position }: Cursor): string => Buffer.from(`1.${origin}.${position}`).toString('base64url')

/** Undefined for what `encodeCursor` did not make. */
export function decodeCursor(text: string): Cursor | undefined {
  const [, origin, position] = TEXT.exec(Buffer.from(text, 'base64url').toString('latin1')) ?? []
  if (origin === undefined || position === undefined) return undefined
  const cursor = { origin, position: BigInt(position) }
  return encodeCursor(cursor) === text ? cursor : undefined
}

export type LogOrigin = {
  /** As the log begins now; undefined while it is empty. @throws Unavailable */
  look(): Promise<string | undefined>
  /** As it began when it was last looked at; looks when it was empty then. @throws Unavailable */
  known(): Promise<string | undefined>
}

/** The id of the first event is not shown, as it may be another tenant's. */
export function logOrigin(log: Pick<EventLog, 'readAll'>): LogOrigin {
  let known: string | undefined
  const look = async () => {
    for await (const { id } of log.readAll({ limit: 1 })) known = hash('sha256', id).slice(0, 16)
    return known
  }
  return { look, known: async () => known ?? look() }
}

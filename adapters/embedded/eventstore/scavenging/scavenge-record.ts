import { randomUUID } from 'node:crypto'
import { NO_STREAM } from '../log/event.ts'
import type { Log } from '../log/log.ts'
import { lastEvent } from '../streams/stream-state.ts'
import { setMetadata } from '../streams/write.ts'

/** How a scavenge ended. */
export type ScavengeEnd = {
  result: 'Success' | 'Stopped' | 'Failed' | 'Interrupted'
  error: string
  milliseconds: number
  bytes: number
  segment: number
}

/** All scavenges, as links to their own streams, where EventStoreDB says what becomes of each. */
const SCAVENGES = '$scavenges'
const streamOf = (id: string) => `${SCAVENGES}-${id}`

const STARTED = '$scavengeStarted'
const CHUNKS_COMPLETED = '$scavengeChunksCompleted'
const COMPLETED = '$scavengeCompleted'

/** Thirty days, in seconds. */
const KEPT = Buffer.from('{"$maxAge":2592000}')

/** Within `stage` only, as everything here that writes. */
export function writeStarted(log: Log, id: string, options: { startFromChunk: number; threads: number }): void {
  const now = Date.now()
  for (const stream of [SCAVENGES, streamOf(id)]) if (log.lastRevision(`$$${stream}`) === NO_STREAM) setMetadata(log, stream, KEPT, now)
  writeListed(log, id, STARTED, { alwaysKeepScavenged: false, mergeChunks: false, ...options })
}

/** Chunks are numbered from 0. */
export function writeRewritten(log: Log, id: string, { segment, bytes, milliseconds }: Omit<ScavengeEnd, 'result' | 'error'>): void {
  const chunk = segment - 1
  const times = { timeTaken: timeText(milliseconds), wasScavenged: true, spaceSaved: bytes, errorMessage: '' }
  write(log, streamOf(id), CHUNKS_COMPLETED, { scavengeId: id, chunkStartNumber: chunk, chunkEndNumber: chunk, ...times })
}

export function writeCompleted(log: Log, id: string, { result, error, milliseconds, bytes, segment }: ScavengeEnd): void {
  const figures = { timeTaken: timeText(milliseconds), spaceSaved: bytes, maxChunkScavenged: Math.max(0, segment - 1) }
  writeListed(log, id, COMPLETED, { result, error, ...figures })
}

/** The scavenge during which the server went. */
export function interruptedScavenge(log: Log): string | undefined {
  const link = lastEvent(log, SCAVENGES)
  const stream = link && Buffer.from(link.data).toString().replace(/^\d+@/, '')
  return stream !== undefined && lastEvent(log, stream)?.type !== COMPLETED ? stream.slice(streamOf('').length) : undefined
}

function writeListed(log: Log, id: string, type: string, data: object): void {
  const revision = write(log, streamOf(id), type, { scavengeId: id, ...data })
  append(log, SCAVENGES, '$>', false, `${revision}@${streamOf(id)}`)
}

const write = (log: Log, stream: string, type: string, data: object) => append(log, stream, type, true, JSON.stringify(data))

function append(log: Log, stream: string, type: string, json: boolean, data: string): number {
  const event = { id: randomUUID(), type, json, data: Buffer.from(data), metadata: new Uint8Array() }
  return log.append(stream, [event], Date.now()).revision
}

/** As .NET writes a duration: hh:mm:ss.fffffff. */
function timeText(milliseconds: number): string {
  const part = (value: number, digits = 2) => String(Math.floor(value)).padStart(digits, '0')
  const seconds = milliseconds / 1_000
  return `${part(seconds / 3_600)}:${part((seconds / 60) % 60)}:${part(seconds % 60)}.${part((milliseconds % 1_000) * 10_000, 7)}`
}

/** How a stream is written: as server-sent events (HTML Living Standard §9.2), or one JSON document a line. */
import type { Entry } from './cloud-event.ts'

/** Characters that are sent in one go, give or take an event. */
const CHUNK = 32 * 1024

export type Format = {
  event(entry: Entry): string
  /** Without a cursor when there is nothing to go on from yet. */
  heartbeat(cursor: string | undefined): string
}

/** The id in a heartbeat is taken for the last one, although no event is dispatched. */
const serverSentEvents: Format = {
  event: ({ cursor, json }) => `id: ${cursor}\ndata: ${json}\n\n`,
  heartbeat: (cursor) => `: heartbeat\n${cursor === undefined ? '' : `id: ${cursor}\n`}\n`,
}

const lines: Format = {
  event: ({ json }) => `${json}\n`,
  heartbeat: (cursor) => `${JSON.stringify({ heartbeat: true, cursor: cursor ?? null })}\n`,
}

export const FORMATS: { readonly [mediaType: string]: Format } = {
  'application/x-ndjson': lines,
  'text/event-stream': serverSentEvents,
}

export function* chunksOf({ event }: Format, entries: readonly Entry[]): Generator<string> {
  let chunk = ''
  for (const entry of entries) {
    chunk += event(entry)
    if (chunk.length < CHUNK) continue
    yield chunk
    chunk = ''
  }
  if (chunk !== '') yield chunk
}

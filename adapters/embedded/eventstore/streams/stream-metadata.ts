/** What the server itself understands of a stream's metadata; everything else in it is the writer's own. */
export type StreamMetadata = {
  maxCount?: number
  /** Seconds. */
  maxAge?: number
  /** Events with a smaller revision are hidden. DELETED hides all of them and says that the stream is deleted. */
  truncateBefore?: number
}

/** `$tb` of a deleted stream: the largest signed 64-bit integer, as near as a double comes. */
export const DELETED = 2 ** 63

/** The metadata event's data by which a stream is deleted. Written out, since a double cannot hold that number. */
export const DELETED_METADATA = '{"$tb":9223372036854775807}'

/** Metastreams keep their newest event only. */
export const METASTREAM_METADATA: StreamMetadata = { maxCount: 1 }

/** Data that is no JSON object, or holds a property of the wrong kind, means no metadata at all, as in EventStoreDB. */
export function parseMetadata(data: Uint8Array): StreamMetadata {
  const raw = parseRawMetadata(data)
  const maxCount = raw.$maxCount
  const maxAge = raw.$maxAge
  const truncateBefore = raw.$tb
  if (!isAbsentOr(maxCount, 1) || !isAbsentOr(maxAge, 1) || !isAbsentOr(truncateBefore, 0)) return {}
  return {
    ...(maxCount !== undefined && { maxCount }),
    ...(maxAge !== undefined && { maxAge }),
    ...(truncateBefore !== undefined && { truncateBefore }),
  }
}

/** The same metadata, but hiding only what is before `revision`. */
export function undeleted(data: Uint8Array, revision: number): Buffer {
  return Buffer.from(JSON.stringify({ ...parseRawMetadata(data), $tb: revision }))
}

function parseRawMetadata(data: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function isAbsentOr(value: unknown, least: number): value is number | undefined {
  return value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= least)
}

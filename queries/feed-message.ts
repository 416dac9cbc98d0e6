/** What projection workers publish for those who wait. Anything else on their subjects is not from them. */
import { PARTITIONS } from '../domain/ports/projections.ts'

/** The partitions of the build hold everything up to the position. */
export type FeedMessage = { position: bigint; build: string; partitions: readonly number[] }

/** Of `{"position": "123", "build": "v1-1", "partitions": [0, 1]}`. */
export function parseFeedMessage(payload: Uint8Array): FeedMessage | undefined {
  const message = parse(payload)
  const position = positionOf(message)
  const { build, partitions } = message ?? {}
  if (position === undefined || typeof build !== 'string' || !Array.isArray(partitions) || !partitions.every(isPartition)) return undefined
  return { position, build, partitions }
}

/** Of `{"position": "123"}`. */
export function parseDocumentMessage(payload: Uint8Array): bigint | undefined {
  return positionOf(parse(payload))
}

type Parsed = { [field: string]: unknown } | undefined

function parse(payload: Uint8Array): Parsed {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(payload))
    return typeof value === 'object' && value !== null ? (value as Parsed) : undefined
  } catch {
    return undefined
  }
}

function positionOf(message: Parsed): bigint | undefined {
  const position = message?.position
  return typeof position === 'string' && /^\d{1,20}$/.test(position) ? BigInt(position) : undefined
}

function isPartition(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < PARTITIONS
}

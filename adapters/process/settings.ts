import { join, resolve } from 'node:path'
import { ID_PATTERN } from '../../domain/ceremony/messages.ts'

/** A setting that cannot be used; the message names the variable. */
export class InvalidSetting extends Error {
  override readonly name = 'InvalidSetting'
}

export type Settings = {
  port: number
  host: string
  dataDir: string
  /** Public keys of the parties and coordinators of this deployment. */
  registryFile: string
  /** Name of this coordinator in the registry. */
  coordinatorId: string
  /** Ids of the parties of this deployment. */
  parties: readonly string[]
  /** Undefined means that the embedded counterpart answers. */
  eventStoreUrl: string | undefined
  mongodbUrl: string | undefined
  mongodbDatabase: string
  /** How long the documents of a read model that was replaced by a rebuilt one are kept. */
  projectionGraceSeconds: number
  natsUrl: string | undefined
  /** What checkpoints of the log say that they are of; named after the log's key when undefined. */
  logOrigin: string | undefined
  /** A checkpoint is signed when so many events are not covered by one, or some for so long. */
  checkpointEvents: number
  checkpointSeconds: number
  /** Signing sessions that may wait for their turn. */
  signingQueue: number
  /** Where tokens' keys come from; the development issuer when undefined. */
  jwks: { url: string; issuer: string; audience: string } | undefined
  /** Which chains there are; those built in when undefined. */
  chainsFile: string | undefined
  archive: {
    /** A folder, `file://…` or `s3://…`. */
    url: string
    /** Most events of a segment. */
    segmentEvents: number
    /** Days for which events need not be archived; older ones must be before the event store is scavenged. */
    hotDays: number
    /** Days after which a segment goes to the cold tier. */
    coldDays: number
    /** S3's name of the class of the cold tier. */
    coldClass: string
    /** For how long nobody can delete what is archived, in a bucket with object lock. */
    retentionDays: number
  }
  /** How long a transaction may wait to be mined before its transfer is said to be stuck. */
  transferStuckSeconds: number
  /** What assets are worth; the table that comes with this when undefined. */
  pricesFile: string | undefined
  webhooks: {
    /** Whether http, and addresses that are not public, may be sent to; undefined is left to who starts the process. */
    allowPrivate: boolean | undefined
    /** How long a receiver may take to answer. */
    timeoutSeconds: number
    /** Waits before the second, third, … attempt of a delivery, which is given up after the last. */
    retrySeconds: readonly number[]
    /** A receiver that has taken nothing for so long is sent nothing more. */
    disableDays: number
  }
  logLevel: 'debug' | 'info' | 'warn' | 'error'
}

type Environment = { readonly [name: string]: string | undefined }

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
const MAX_PARTY_PROCESSES = 50
/** CK_SLOT_ID has 32 bits at least. */
const MAX_SLOT = 2 ** 32 - 1
/** Of S3: the first two are read at once, and cost more to read. */
const COLD_CLASSES = ['STANDARD_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE'] as const
const SEVEN_YEARS = 2_557
/** As the Standard Webhooks specification has it, and no longer than three days in all. */
const RETRY_SECONDS = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
const MAX_RETRIES = 20

/** Where the registry is unless `QUORATE_REGISTRY` says otherwise. */
export const registryFileIn = (dataDir: string): string => join(dataDir, 'registry.json')

/**
 * Settings from `QUORATE_*` variables, listed in `.env.example`; empty means not set.
 * @throws InvalidSetting
 */
export function readSettings(env: Environment): Settings {
  const text = (name: string) => env[name]?.trim() || undefined
  const dataDir = resolve(text('QUORATE_DATA_DIR') ?? '.quorate')
  const chainsFile = text('QUORATE_CHAINS')
  const pricesFile = text('QUORATE_PRICES')
  const jwksUrl = url(text, 'QUORATE_JWKS_URL', ['http:', 'https:', 'file:'])
  return {
    port: integer(text, 'QUORATE_PORT', 8080, 0, 65_535),
    host: text('QUORATE_HOST') ?? '127.0.0.1',
    dataDir,
    registryFile: resolve(text('QUORATE_REGISTRY') ?? registryFileIn(dataDir)),
    coordinatorId: id(text, 'QUORATE_COORDINATOR_ID', 'coordinator'),
    parties: partyIds(integer(text, 'QUORATE_PARTIES', 5, 1, MAX_PARTY_PROCESSES)),
    eventStoreUrl: url(text, 'QUORATE_EVENTSTORE_URL', ['esdb:', 'esdb+discover:']),
    mongodbUrl: url(text, 'QUORATE_MONGODB_URL', ['mongodb:', 'mongodb+srv:']),
    mongodbDatabase: text('QUORATE_MONGODB_DATABASE') ?? 'quorate',
    projectionGraceSeconds: integer(text, 'QUORATE_PROJECTION_GRACE_SECONDS', 60, 0, 86_400),
    logOrigin: origin(text, 'QUORATE_LOG_ORIGIN'),
    checkpointEvents: integer(text, 'QUORATE_CHECKPOINT_EVENTS', 10_000, 1, 1_000_000),
    checkpointSeconds: integer(text, 'QUORATE_CHECKPOINT_SECONDS', 60, 1, 86_400),
    signingQueue: integer(text, 'QUORATE_SIGNING_QUEUE', 10_000, 1, 100_000),
    natsUrl: url(text, 'QUORATE_NATS_URL', ['nats:', 'tls:']),
    jwks:
      jwksUrl === undefined
        ? undefined
        : {
            url: jwksUrl,
            issuer: required(text, 'QUORATE_JWT_ISSUER', 'QUORATE_JWKS_URL'),
            audience: text('QUORATE_JWT_AUDIENCE') ?? 'quorate',
          },
    chainsFile: chainsFile === undefined ? undefined : resolve(chainsFile),
    archive: {
      url: text('QUORATE_ARCHIVE_URL') ?? join(dataDir, 'archive'),
      segmentEvents: integer(text, 'QUORATE_ARCHIVE_SEGMENT_EVENTS', 100_000, 1, 1_000_000),
      hotDays: integer(text, 'QUORATE_ARCHIVE_HOT_DAYS', 30, 0, 36_500),
      coldDays: integer(text, 'QUORATE_ARCHIVE_COLD_DAYS', 90, 0, 36_500),
      coldClass: oneOf(text, 'QUORATE_ARCHIVE_COLD_CLASS', COLD_CLASSES, 'GLACIER'),
      retentionDays: integer(text, 'QUORATE_ARCHIVE_RETENTION_DAYS', SEVEN_YEARS, 1, 36_500),
    },
    transferStuckSeconds: integer(text, 'QUORATE_TRANSFER_STUCK_SECONDS', 600, 1, 604_800),
    pricesFile: pricesFile === undefined ? undefined : resolve(pricesFile),
    webhooks: {
      allowPrivate: flag(text, 'QUORATE_WEBHOOKS_ALLOW_PRIVATE'),
      timeoutSeconds: integer(text, 'QUORATE_WEBHOOKS_TIMEOUT_SECONDS', 15, 1, 60),
      retrySeconds: integers(text, 'QUORATE_WEBHOOKS_RETRY_SECONDS', RETRY_SECONDS, 604_800),
      disableDays: integer(text, 'QUORATE_WEBHOOKS_DISABLE_DAYS', 5, 1, 365),
    },
    logLevel: oneOf(text, 'QUORATE_LOG_LEVEL', LOG_LEVELS, 'info'),
  }
}

/** Where data keys are, and the token that seals them; undefined means a keystore. */
export type DataKeySettings = { dir: string; token: { modulePath: string; slot: number | undefined; pin: string } | undefined }

/** What only processes need to be told that open personal fields. @throws InvalidSetting */
export function readDataKeySettings(env: Environment, dataDir: string): DataKeySettings {
  const text = (name: string) => env[name]?.trim() || undefined
  const dir = resolve(text('QUORATE_DATA_KEYS') ?? join(dataDir, 'data-keys'))
  const modulePath = text('QUORATE_PKCS11_MODULE')
  if (modulePath === undefined) return { dir, token: undefined }
  const slot = text('QUORATE_PKCS11_SLOT') === undefined ? undefined : integer(text, 'QUORATE_PKCS11_SLOT', 0, 0, MAX_SLOT)
  return { dir, token: { modulePath, slot, pin: required(text, 'QUORATE_PKCS11_PIN', 'QUORATE_PKCS11_MODULE') } }
}

/** Party ids are `party-1` … `party-n`. */
export function partyIds(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `party-${index + 1}`)
}

type Text = (name: string) => string | undefined

function integer(text: Text, name: string, fallback: number, min: number, max: number): number {
  const value = text(name)
  if (value === undefined) return fallback
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= min && number <= max)) throw new InvalidSetting(`${name} must be a whole number from ${min} to ${max}, not "${value}"`)
  return number
}

function flag(text: Text, name: string): boolean | undefined {
  const value = text(name)
  if (value !== undefined && value !== 'true' && value !== 'false')
    throw new InvalidSetting(`${name} must be true or false, not "${value}"`)
  return value === undefined ? undefined : value === 'true'
}

/** Whole numbers from 1 on, with commas between them. */
function integers(text: Text, name: string, fallback: readonly number[], max: number): readonly number[] {
  const value = text(name)
  if (value === undefined) return fallback
  const numbers = value.split(',').map((part) => (/^\s*\d{1,9}\s*$/.test(part) ? Number(part) : Number.NaN))
  if (numbers.length > MAX_RETRIES || !numbers.every((number) => number >= 1 && number <= max))
    throw new InvalidSetting(
      `${name} must be at most ${MAX_RETRIES} whole numbers from 1 to ${max}, with commas between them, not "${value}"`,
    )
  return numbers
}

function id(text: Text, name: string, fallback: string): string {
  const value = text(name) ?? fallback
  if (!ID_PATTERN.test(value)) throw new InvalidSetting(`${name} must be 1 to 64 letters, digits, hyphens or underscores`)
  return value
}

/** The name of a key in signed notes (c2sp.org/signed-note). */
function origin(text: Text, name: string): string | undefined {
  const value = text(name)
  if (value !== undefined && !/^[^\s+\p{Cc}]{1,255}$/u.test(value))
    throw new InvalidSetting(`${name} must be at most 255 characters without spaces or plus signs, such as example.com/quorate`)
  return value
}

function url(text: Text, name: string, protocols: readonly string[]): string | undefined {
  const value = text(name)
  if (value === undefined) return undefined
  // Connection strings name several hosts, which URL does not read: look at the scheme only.
  if (!protocols.some((protocol) => value.startsWith(`${protocol}//`)))
    throw new InvalidSetting(`${name} must begin with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`)
  return value
}

function required(text: Text, name: string, because: string): string {
  const value = text(name)
  if (value === undefined) throw new InvalidSetting(`${name} must be set when ${because} is`)
  return value
}

function oneOf<T extends string>(text: Text, name: string, values: readonly T[], fallback: T): T {
  const value = text(name)
  if (value === undefined) return fallback
  if (!(values as readonly string[]).includes(value))
    throw new InvalidSetting(`${name} must be one of ${values.join(', ')}, not "${value}"`)
  return value as T
}

/** The servers that a process other than the supervisor must be told of. @throws InvalidSetting */
export function requireUrls({ eventStoreUrl, mongodbUrl, natsUrl }: Settings): { eventStore: string; mongodb: string; nats: string } {
  if (!eventStoreUrl) throw new InvalidSetting('QUORATE_EVENTSTORE_URL must be set; `npm start` does so for its own processes')
  if (!mongodbUrl) throw new InvalidSetting('QUORATE_MONGODB_URL must be set; `npm start` does so for its own processes')
  if (!natsUrl) throw new InvalidSetting('QUORATE_NATS_URL must be set; `npm start` does so for its own processes')
  return { eventStore: eventStoreUrl, mongodb: mongodbUrl, nats: natsUrl }
}

import { createHash } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  RestoreObjectCommand,
  type RestoreStatus,
  S3Client,
  type StorageClass,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import {
  ArchiveRefused,
  type ArchiveStore,
  NotRetrieved,
  type Retrieval,
  type StoredObject,
  type Tier,
} from '../../domain/ports/archive.ts'
import { Unavailable } from '../../domain/ports/event-log.ts'

export type S3StoreOptions = {
  readonly bucket: string
  /** Before every name; empty, or with a slash at its end. */
  readonly prefix: string
  /** Of a provider other than AWS. */
  readonly endpoint: string | undefined
  readonly region: string | undefined
  /** Class of the cold tier. */
  readonly coldClass: StorageClass
  /** Days that nobody can delete or overwrite an object, in a bucket with object lock. */
  readonly retentionDays: number
}

/** Larger objects are sent in parts of as much. */
const PART_BYTES = 16 * 2 ** 20
const DAY_MS = 24 * 60 * 60 * 1_000
const REQUEST_TIMEOUT_MS = 60_000
const CONNECTION_TIMEOUT_MS = 5_000
/** Not allowed; not known to the provider. */
const NOT_FOR_US: readonly number[] = [403, 404, 405, 501]
/** Not a refusal: it took too long, or there are too many requests. */
const LATER: readonly number[] = [408, 429]
const BEYOND_END = 416
/** Classes whose objects are read only once they were restored; those of the others are as quickly read as warm ones. */
const ASKED_FOR_FIRST: readonly string[] = ['GLACIER', 'DEEP_ARCHIVE']

/** An archive in a bucket of S3, or of what speaks its protocol. Credentials come from where the AWS SDK looks for them: environment, profile, role. */
export function s3Store({ bucket, prefix, endpoint, region, coldClass, retentionDays }: S3StoreOptions): ArchiveStore {
  const client = new S3Client({
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(region === undefined ? {} : { region }),
    // Others do not know all checksums of AWS.
    ...(endpoint === undefined ? {} : { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' }),
    maxAttempts: 5,
    requestHandler: { requestTimeout: REQUEST_TIMEOUT_MS, connectionTimeout: CONNECTION_TIMEOUT_MS },
  })
  const placeOf = (name: string) => ({ Bucket: bucket, Key: `${prefix}${name}` })
  let locked: Promise<boolean> | undefined

  /** What keeps an object from being deleted, in a bucket that can. */
  async function retention(): Promise<{ ObjectLockMode?: 'COMPLIANCE'; ObjectLockRetainUntilDate?: Date }> {
    locked ??= hasObjectLock()
    return (await locked) ? { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: new Date(Date.now() + retentionDays * DAY_MS) } : {}
  }

  async function hasObjectLock(): Promise<boolean> {
    try {
      const { ObjectLockConfiguration } = await client.send(new GetObjectLockConfigurationCommand({ Bucket: bucket }))
      return ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled'
    } catch (error) {
      // A bucket without it, or a provider that has never heard of it. What is not allowed to be asked is not taken for no.
      if ([404, 405, 501].includes(statusOf(error) ?? 0) || (error as Error).name === 'ObjectLockConfigurationNotFoundError') return false
      throw failureOf(error)
    }
  }

  async function isThere(name: string): Promise<boolean> {
    try {
      await client.send(new HeadObjectCommand(placeOf(name)))
      return true
    } catch (error) {
      if (statusOf(error) === 404) return false
      throw failureOf(error)
    }
  }

  async function retrievalOf(name: string, kind: string, tier: Tier, listed: RestoreStatus | undefined): Promise<Retrieval> {
    if (tier === 'warm') return 'none'
    if (!ASKED_FOR_FIRST.includes(kind)) return 'readable'
    if (listed) return listed.IsRestoreInProgress ? 'requested' : 'readable'
    // In lists only AWS tells, the others of an object alone.
    if (endpoint === undefined) return 'none'
    const { Restore } = await client.send(new HeadObjectCommand(placeOf(name))).catch((error) => Promise.reject(failureOf(error)))
    if (Restore === undefined) return 'none'
    return Restore.includes('ongoing-request="true"') ? 'requested' : 'readable'
  }

  async function putInParts(name: string, content: Uint8Array): Promise<void> {
    const place = placeOf(name)
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...place, ...(await retention()) }))
    try {
      const Parts: { ETag: string | undefined; PartNumber: number }[] = []
      for (let at = 0; at < content.length; at += PART_BYTES) {
        const PartNumber = Parts.length + 1
        const part = bodyOf(content.subarray(at, at + PART_BYTES))
        Parts.push({ ETag: (await client.send(new UploadPartCommand({ ...place, UploadId, PartNumber, ...part }))).ETag, PartNumber })
      }
      await client.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts }, IfNoneMatch: '*' }))
    } catch (error) {
      await client.send(new AbortMultipartUploadCommand({ ...place, UploadId })).catch(() => {})
      throw error
    }
  }

  return {
    place: `s3://${bucket}/${prefix}`,

    async put(name, content) {
      // Not all providers know conditional writes; those that do decide between two that come here at once.
      if (await isThere(name)) return false
      try {
        if (content.length > PART_BYTES) await putInParts(name, content)
        else await client.send(new PutObjectCommand({ ...placeOf(name), ...(await retention()), ...bodyOf(content), IfNoneMatch: '*' }))
        return true
      } catch (error) {
        if (statusOf(error) === 412) return false
        throw failureOf(error)
      }
    },

    async get(name, range) {
      try {
        const part = range && { Range: `bytes=${range.start}-${range.end - 1}` }
        const { Body } = await client.send(new GetObjectCommand({ ...placeOf(name), ...part }))
        return await Body?.transformToByteArray()
      } catch (error) {
        if (statusOf(error) === 404) return undefined
        if (statusOf(error) === BEYOND_END) return new Uint8Array()
        if ((error as Error).name === 'InvalidObjectState') throw new NotRetrieved(name)
        throw failureOf(error)
      }
    },

    async *list(folder) {
      let ContinuationToken: string | undefined
      do {
        const page = await client
          .send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: `${prefix}${folder}`,
              OptionalObjectAttributes: ['RestoreStatus'],
              ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
            }),
          )
          .catch((error) => Promise.reject(failureOf(error)))
        for (const { Key = '', Size = 0, StorageClass: kind = 'STANDARD', RestoreStatus } of page.Contents ?? []) {
          const name = Key.slice(prefix.length)
          const tier = ASKED_FOR_FIRST.includes(kind) || kind === coldClass ? 'cold' : 'warm'
          const object: StoredObject = { name, bytes: Size, tier, retrieval: await retrievalOf(name, kind, tier, RestoreStatus) }
          yield object
        }
        ContinuationToken = page.NextContinuationToken
      } while (ContinuationToken !== undefined)
    },

    async moveTo(tier, name) {
      const StorageClass = tier === 'cold' ? coldClass : 'STANDARD'
      const source = { CopySource: `${bucket}/${encodeURIComponent(`${prefix}${name}`)}`, MetadataDirective: 'COPY' as const }
      try {
        const { ObjectLockRetainUntilDate, StorageClass: present = 'STANDARD' } = await client.send(new HeadObjectCommand(placeOf(name)))
        if (present === StorageClass) return
        // The copy is a version of its own, kept no longer than the first one.
        const kept = { ...(await retention()), ...(ObjectLockRetainUntilDate && { ObjectLockRetainUntilDate }) }
        await client.send(new CopyObjectCommand({ ...placeOf(name), ...source, ...kept, StorageClass, ChecksumAlgorithm: 'SHA256' }))
      } catch (error) {
        throw failureOf(error)
      }
    },

    async retrieve(name, Days) {
      try {
        const wish = { Days, GlacierJobParameters: { Tier: 'Standard' as const } }
        await client.send(new RestoreObjectCommand({ ...placeOf(name), RestoreRequest: wish }))
      } catch (error) {
        if ((error as Error).name !== 'RestoreAlreadyInProgress') throw failureOf(error)
      }
    },

    async discard(begin, except) {
      const place = { Bucket: bucket, Prefix: `${prefix}${begin}` }
      const kept = except.map((name) => `${prefix}${name}`)
      try {
        const { Contents = [] } = await client.send(new ListObjectsV2Command(place))
        for (const { Key } of Contents) if (!kept.includes(Key!)) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }))
        const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand(place))
        for (const { Key, UploadId } of Uploads) await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
      } catch (error) {
        // Whoever archives need not be allowed to delete, and not every provider lists uploads.
        if (!NOT_FOR_US.includes(statusOf(error) ?? 0)) throw failureOf(error)
      }
    },

    async close() {
      client.destroy()
    },
  }
}

/** With the digest that buckets with object lock ask for, and by which all others see what was damaged on its way. */
const bodyOf = (content: Uint8Array) => ({ Body: content, ContentMD5: createHash('md5').update(content).digest('base64') })

const statusOf = (error: unknown): number | undefined => (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode

function failureOf(error: unknown): Error {
  if (error instanceof Unavailable) return error
  const { name, message } = error as Error
  const status = statusOf(error)
  const isRefusal = status !== undefined && status >= 400 && status < 500 && !LATER.includes(status)
  return isRefusal || name === 'CredentialsProviderError'
    ? new ArchiveRefused(`${name}: ${message}`, { cause: error })
    : new Unavailable('archive', { cause: error })
}

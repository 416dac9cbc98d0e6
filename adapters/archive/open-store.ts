import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ArchiveStore } from '../../domain/ports/archive.ts'
import { InvalidSetting } from '../process/settings.ts'
import { folderStore } from './folder-store.ts'

export type ArchivePlace = {
  /** A folder, `file://…`, or `s3://bucket/prefix?endpoint=…&region=…`. */
  readonly url: string
  /** S3's name of the class of the cold tier. */
  readonly coldClass: string
  readonly retentionDays: number
}

/** @throws InvalidSetting */
export async function openArchiveStore({ url, coldClass, retentionDays }: ArchivePlace): Promise<ArchiveStore> {
  if (url.startsWith('file://')) return folderStore(fileURLToPath(url))
  if (!url.startsWith('s3://')) {
    if (/^[a-z][\w+.-]*:\/\//i.test(url)) throw new InvalidSetting('QUORATE_ARCHIVE_URL must be a folder, file:// or s3://')
    return folderStore(resolve(url))
  }
  const { hostname: bucket, pathname, searchParams } = new URL(url)
  const path = pathname.replace(/^\/|\/$/g, '')
  // The SDK is large, and few have a bucket.
  const { s3Store } = await import('./s3-store.ts')
  return s3Store({
    bucket,
    prefix: path === '' ? '' : `${path}/`,
    endpoint: searchParams.get('endpoint') ?? undefined,
    region: searchParams.get('region') ?? undefined,
    coldClass: coldClass as 'GLACIER',
    retentionDays,
  })
}

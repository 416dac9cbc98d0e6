import { ID_PATTERN } from '../domain/ceremony/messages.ts'

/** Where a share is kept, inside the folder of its key. A pending one may still be discarded. */
export type ShareFile = { epoch: number; attempt: number; pending: boolean }

const PATTERN = /^epoch-([1-9]\d*)-attempt-([1-9]\d*)(\.pending)?\.json$/

export const fileName = ({ epoch, attempt, pending }: ShareFile): string =>
  `epoch-${epoch}-attempt-${attempt}${pending ? '.pending' : ''}.json`

/** The shares among the files of a folder. */
export function sharesAmong(files: readonly string[]): ShareFile[] {
  return files.flatMap((file) => {
    const [, epoch, attempt, pending] = PATTERN.exec(file) ?? []
    return epoch && attempt ? [{ epoch: Number(epoch), attempt: Number(attempt), pending: pending !== undefined }] : []
  })
}

const BAN = 'banned-'

/** An empty file that says with whom the key is not used any more; it outlives the shares. */
export const banFileName = (counterparty: string): string => `${BAN}${counterparty}`

/** Who is banned, by the files of a folder. */
export function bannedAmong(files: readonly string[]): string[] {
  return files
    .filter((file) => file.startsWith(BAN))
    .map((file) => file.slice(BAN.length))
    .filter((id) => ID_PATTERN.test(id))
}

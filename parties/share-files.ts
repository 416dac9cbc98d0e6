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

const BAN_PATTERN = /^banned-([A-Za-z0-9][A-Za-z0-9_-]{0,63})$/

/** An empty file that says with whom the key is not used any more; it outlives the shares. */
export const banFileName = (counterparty: string): string => `banned-${counterparty}`

/** Who is banned, by the files of a folder. */
export function bannedAmong(files: readonly string[]): string[] {
  return files.flatMap((file) => BAN_PATTERN.exec(file)?.[1] ?? [])
}

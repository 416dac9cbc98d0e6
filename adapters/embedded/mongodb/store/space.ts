import { CommandError } from '../errors.ts'

/** How much the documents of all collections may take up, counted in BSON bytes. */
export type Space = {
  /** Negative gives back. @throws OutOfDiskSpace */
  take(bytes: number): void
}

export function createSpace(limitBytes: number): Space {
  let used = 0
  return {
    take(bytes) {
      if (bytes > 0 && used + bytes > limitBytes)
        throw new CommandError('OutOfDiskSpace', `the embedded server holds at most ${limitBytes} bytes of documents`)
      used += bytes
    },
  }
}

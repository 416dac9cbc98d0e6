import { createReadStream } from 'node:fs'
import { mkdir, open, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BackupRefused } from './refused.ts'

/** A file of an archive: its path there, with slashes, and where its bytes are now. */
export type Source = { path: string; file: string }

type FileHeader = { path: string; size: number }

const LENGTH_BYTES = 4
const MAX_HEADER_BYTES = 4_096

/** Files one after another: the length of a header (4 bytes, big-endian), path and size in JSON, and the bytes. */
export async function* packFiles(sources: readonly Source[]): AsyncGenerator<Buffer> {
  for (const { path, file } of sources) {
    const { size } = await stat(file)
    const header = Buffer.from(JSON.stringify({ path, size } satisfies FileHeader))
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUInt32BE(header.length)
    yield Buffer.concat([length, header])
    let read = 0
    for await (const bytes of createReadStream(file)) {
      read += (bytes as Buffer).length
      yield bytes as Buffer
    }
    if (read !== size) throw new Error(`${file} has changed while it was read: try again`)
  }
}

/** Writes what was packed into a folder, durably, readable by its owner only; returns the paths. @throws BackupRefused `archive_damaged` */
export async function unpackFiles(packed: AsyncIterable<Buffer>, folder: string): Promise<string[]> {
  const reader = readerOf(packed)
  const paths: string[] = []
  for (let length = await reader.take(LENGTH_BYTES); length; length = await reader.take(LENGTH_BYTES)) {
    const header = await reader.take(Math.min(length.readUInt32BE(), MAX_HEADER_BYTES))
    const { path, size } = JSON.parse(String(header)) as FileHeader
    // Sealed by whoever knew the passphrase; still nobody is to write elsewhere through it.
    if (!/^[^/\\]+(\/[^/\\]+)*$/.test(path) || path.split('/').includes('..'))
      throw new BackupRefused('archive_damaged', 'a path leads elsewhere')
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const handle = await open(file, 'wx', 0o600)
    try {
      for await (const bytes of reader.next(size)) await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    paths.push(path)
  }
  return paths
}

/** Takes a stream apart by lengths. */
function readerOf(stream: AsyncIterable<Buffer>) {
  const chunks = stream[Symbol.asyncIterator]()
  let waiting: Buffer = Buffer.alloc(0)

  const fill = async (): Promise<boolean> => {
    const { done, value } = await chunks.next()
    if (!done) waiting = waiting.length === 0 ? value : Buffer.concat([waiting, value])
    return !done
  }
  return {
    /** Undefined at the end. */
    async take(length: number): Promise<Buffer | undefined> {
      while (waiting.length < length && (await fill()));
      if (waiting.length === 0) return undefined
      if (waiting.length < length) throw new BackupRefused('archive_damaged', 'the archive ends within a file')
      const taken = waiting.subarray(0, length)
      waiting = waiting.subarray(length)
      return taken
    },
    async *next(length: number): AsyncGenerator<Buffer> {
      for (let left = length; left > 0; ) {
        if (waiting.length === 0 && !(await fill())) throw new BackupRefused('archive_damaged', 'the archive ends within a file')
        const bytes = waiting.subarray(0, left)
        waiting = waiting.subarray(bytes.length)
        left -= bytes.length
        yield bytes
      }
    },
  }
}

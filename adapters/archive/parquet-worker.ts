import { parentPort } from 'node:worker_threads'
import type { Packed } from './packed-columns.ts'
import { type ColumnShape, parquetFile } from './parquet-file.ts'

/** What the thread is asked, one after the other: to begin a file, to write a group of rows to it, to finish it. */
export type Request = { readonly begin: readonly ColumnShape[] } | { readonly write: readonly Packed[] } | { readonly finish: true }

/** What it answers to each: how long the file is, and in the end the file. */
export type Answer = { readonly bytes: number; readonly content?: Uint8Array }

/** Parquet files on a thread of its own. */
let file: Awaited<ReturnType<typeof parquetFile>> | undefined
parentPort?.on('message', async (request: Request) => {
  if ('begin' in request) file = await parquetFile(request.begin)
  else if ('write' in request) file?.write(request.write)
  const content = 'finish' in request ? file?.finish() : undefined
  const answer: Answer = { bytes: file?.bytes() ?? 0, ...(content && { content }) }
  if (content) file = undefined
  parentPort?.postMessage(answer, content ? [content.buffer] : [])
})

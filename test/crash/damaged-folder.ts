import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import type { ExecutionContext } from 'ava'
import { openDiskStorage } from '../../adapters/embedded/eventstore/log/disk-storage.ts'
import { decodeHeader, HEADER_BYTES } from '../../adapters/embedded/eventstore/log/frame.ts'
import { openLog } from '../../adapters/embedded/eventstore/log/log.ts'
import { wholeFrames } from '../../adapters/embedded/eventstore/log/whole-frames.ts'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { placeOf } from './audit.ts'

/** A file of the log, by its path. Files of other kinds are smaller than any log. */
export async function logFiles(dataDir: string): Promise<{ path: string; name: string }[]> {
  const names = (await readdir(dataDir)).filter((name) => name.endsWith('.log')).sort()
  return names.map((name) => ({ path: join(dataDir, name), name }))
}

/** A folder that goes when the test ends. */
export async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-damage-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A copy of a data folder in its place. */
export async function replaceByCopy(original: string, copy: string): Promise<void> {
  await rm(copy, { recursive: true, force: true })
  await cp(original, copy, { recursive: true })
}

/** Changes a file; what `change` returns is what it then holds. */
export async function rewrite(path: string, change: (content: Buffer) => Uint8Array): Promise<void> {
  await writeFile(path, change(await readFile(path)))
}

/** Where the last commit ends: files are made longer than they need to be, and a commit may itself end with zeros. */
async function endOfCommits(path: string): Promise<number> {
  const content = await readFile(path)
  const header = decodeHeader(content.subarray(0, HEADER_BYTES))
  if (typeof header === 'string') throw new Error(`the header of ${path} is ${header}`)
  let end = HEADER_BYTES
  const window = (at: number, length: number) => (at + length <= content.length ? content.subarray(at, at + length) : undefined)
  for (const { offset, length } of wholeFrames(window, header)) end = offset + length
  return end
}

/** One acknowledged append: places of its events, and where the file that holds it ended afterwards. */
export type Written = { places: string[]; end: number }

const STREAM = 'damaged'

/** Fills a new data folder by appends of one to three events, over a server. */
export async function fill(dataDir: string, appends: number): Promise<Written[]> {
  const server = await startEmbeddedEventStore({ port: 0, dataDir })
  const client = EventStoreDBClient.connectionString(server.url)
  try {
    const [file] = await logFiles(dataDir)
    const written: Written[] = []
    for (let n = 0; n < appends; n++) {
      await client.appendToStream(
        STREAM,
        Array.from({ length: 1 + (n % 3) }, () => jsonEvent({ type: 'Happened', data: { text: 'x'.repeat(n * 7) } })),
      )
      written.push({ places: [], end: await endOfCommits(file!.path) })
    }
    const places = await placesIn(client)
    for (const [n, append] of written.entries()) append.places.push(...places.splice(0, 1 + (n % 3)))
    return written
  } finally {
    await server.close()
  }
}

/** Fills a new data folder with several small segments, each of which holds several commits. Returns the number of events. */
export function fillSegments(dataDir: string, segmentBytes: number, commits: number): number {
  const log = openLog(openDiskStorage(dataDir), () => {}, segmentBytes)
  for (let n = 0; n < commits; n++) {
    const id = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
    const event = { id, type: 'Happened', json: true, data: Buffer.from(`{"n":${n}}`), metadata: Buffer.alloc(0) }
    log.stage(() => log.append(STREAM, [event], Date.now()))
    log.commit()
  }
  log.close()
  return commits
}

/** What the log of a data folder holds, and what the server said when it started; and that it goes on from there, also after a restart. */
export async function reopen(dataDir: string): Promise<{ places: string[]; said: string[] }> {
  const said: string[] = []
  const first = await startEmbeddedEventStore({ port: 0, dataDir, log: (line) => said.push(line) })
  const client = EventStoreDBClient.connectionString(first.url)
  let places: string[]
  try {
    places = await placesIn(client)
    const { nextExpectedRevision } = await client.appendToStream(STREAM, jsonEvent({ type: 'Went', data: {} }))
    if (nextExpectedRevision !== BigInt(places.length)) throw new Error(`after ${places.length} events, one was at ${nextExpectedRevision}`)
  } finally {
    await first.close()
  }
  const second = await startEmbeddedEventStore({ port: 0, dataDir })
  try {
    const again = await placesIn(EventStoreDBClient.connectionString(second.url))
    if (again.length !== places.length + 1) throw new Error(`of ${places.length + 1} events ${again.length} are there after a restart`)
  } finally {
    await second.close()
  }
  return { places, said }
}

async function placesIn(client: EventStoreDBClient): Promise<string[]> {
  const places: string[] = []
  for await (const { event } of client.readAll()) if (event?.streamId === STREAM) places.push(placeOf(event))
  return places
}

import { randomUUID } from 'node:crypto'
import { type Checkpoint, checkpointHash, readCheckpoint } from '../domain/audit/checkpoint.ts'
import { CHECKPOINT_SIGNED, CHECKPOINT_STREAM, checkpointSigned } from '../domain/audit/checkpoint-stream.ts'
import { isSame } from '../domain/audit/merkle-tree.ts'
import { type NoteKey, NoteRefused, vkeyOf } from '../domain/audit/signed-note.ts'
import {
  checkpointWrite,
  type Generation,
  newestCheckpoints,
  readStoredCheckpoints,
  type StoredCheckpoint,
  storedCheckpointsWrite,
} from '../domain/audit/tree-documents.ts'
import type { Documents } from '../domain/ports/documents.ts'
import { type EventLog, type RecordedEvent, WrongExpectedRevision } from '../domain/ports/event-log.ts'
import type { VerifyIdentity } from '../domain/ports/identity.ts'
import { Contradiction } from './contradiction.ts'

/** A checkpoint in the log; `hash` is what the next one names it by. */
export type Link = { readonly number: number; readonly note: string; readonly checkpoint: Checkpoint; readonly hash: Uint8Array }

/** The checkpoints in the log, each of which goes on from the one before. */
export type Chain = {
  /**
   * Reads what others have added, stores it for readers, and returns the newest.
   * @throws Contradiction, DocumentMissing when the generation is not there any more, Unavailable
   */
  newest(): Promise<Link | undefined>
  /** False when another instance has added one first. @throws Unavailable */
  add(note: string): Promise<boolean>
}

export type ChainOptions = {
  log: Pick<EventLog, 'readStream' | 'append'>
  documents: Pick<Documents, 'get' | 'find' | 'apply'>
  generation: Generation
  key: NoteKey
  verify: VerifyIdentity
  /** Whose name its events bear. */
  tenant: string
}

const ACTOR = 'audit'
const SCHEMA_VERSION = 1
/** Checkpoints stored at a time. */
const BATCH = 500

/** Goes on from the newest that is stored, which must be in the log. @throws Unavailable */
export async function openChain({ log, documents, generation, key, verify, tenant }: ChainOptions): Promise<Chain> {
  const vkey = vkeyOf(key)
  const count = await readStoredCheckpoints(documents, generation)
  const [stored] = count === 0 ? [] : await newestCheckpoints(documents, 1)
  let newest: Link | undefined
  let next = stored?.number ?? 0

  const take = (event: RecordedEvent): Link => {
    const link = linkIn(event, key, verify)
    if (event.revision !== BigInt(next)) throw broken(`there is no checkpoint ${next} in the log, but one ${event.revision}`)
    if (newest) requireSuccession(newest, link)
    else if (stored && stored.note !== link.note) throw broken(`checkpoint ${next} is not the one that was there before`)
    newest = link
    next++
    return link
  }

  const store = async (links: readonly Link[]) => {
    const writeOf = ({ number, note, checkpoint: { size } }: Link): StoredCheckpoint => ({ number, size, note, vkey })
    await documents.apply(links.map((link) => ({ position: BigInt(link.number), writes: [checkpointWrite(writeOf(link))] })))
    await documents.apply([{ position: BigInt(next), writes: [storedCheckpointsWrite(generation, next)] }])
  }

  return {
    async newest() {
      let unstored: Link[] = []
      for await (const event of log.readStream(CHECKPOINT_STREAM, { from: BigInt(next) })) {
        unstored.push(take(event))
        if (unstored.length < BATCH) continue
        await store(unstored)
        unstored = []
      }
      if (unstored.length > 0) await store(unstored)
      if (stored && !newest) throw broken(`checkpoint ${stored.number} is not in the log any more`)
      return newest
    },

    async add(note) {
      const id = randomUUID()
      const occurredAt = new Date().toISOString()
      const metadata = {
        commandId: id,
        correlationId: id,
        causationId: id,
        actor: ACTOR,
        tenant,
        occurredAt,
        schemaVersion: SCHEMA_VERSION,
      }
      try {
        const expected = newest === undefined ? 'no_stream' : BigInt(newest.number)
        await log.append(CHECKPOINT_STREAM, expected, [{ id, type: CHECKPOINT_SIGNED, data: { note, vkey }, metadata }])
        return true
      } catch (error) {
        if (error instanceof WrongExpectedRevision) return false
        throw error
      }
    },
  }
}

/** @throws Contradiction */
function linkIn(event: RecordedEvent, key: NoteKey, verify: VerifyIdentity): Link {
  try {
    const { note } = checkpointSigned(event)
    const signed = readCheckpoint(note, key, verify)
    return { number: Number(event.revision), note, checkpoint: signed.checkpoint, hash: checkpointHash(signed.note.text) }
  } catch (error) {
    if (!(error instanceof NoteRefused)) throw error
    const message = `checkpoint ${event.revision} in the log is not signed by ${key.name} with the key that is here: ${error.message}`
    throw new Contradiction('checkpoint_of_another_key', message, { cause: error })
  }
}

/** @throws Contradiction */
function requireSuccession(earlier: Link, { number, checkpoint: { previous, size } }: Link): void {
  if (previous === undefined || !isSame(previous, earlier.hash)) throw broken(`checkpoint ${number} does not go on from the one before it`)
  if (size <= earlier.checkpoint.size) throw broken(`checkpoint ${number} is of a tree that has not grown`)
}

const broken = (message: string) => new Contradiction('checkpoints_broken', message)

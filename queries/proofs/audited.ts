/** What proofs are made of: the tree beside the read models, and the events of the log as they are stored. */
import { setTimeout as delay } from 'node:timers/promises'
import { readCheckpointText } from '../../domain/audit/checkpoint.ts'
import type { Hash, Sha256 } from '../../domain/audit/merkle-tree.ts'
import { readNote } from '../../domain/audit/signed-note.ts'
import { NodeMissing } from '../../domain/audit/tiles.ts'
import { newestCheckpoints, readCheckpointOf, readHead, type StoredCheckpoint } from '../../domain/audit/tree-documents.ts'
import type { Documents } from '../../domain/ports/documents.ts'
import type { EventLog } from '../../domain/ports/event-log.ts'
import { Problem } from '../../http/problem.ts'
import type { RouteRequest } from '../../http/route.ts'

export type Audited = {
  documents: Pick<Documents, 'get' | 'find'>
  /** Events as they are stored, not as the code knows them. */
  log: Pick<EventLog, 'readStream'>
  sha256: Sha256
}

const POSITION_WAIT_MS = 2_000
const LOOK_EVERY_MS = 50

/** Waits, within a bound, until the tree is as new as the request asks. @throws Problem `read_model_behind`, Unavailable */
export async function reachMinPosition(
  { documents }: Audited,
  { minPosition, signal }: Pick<RouteRequest, 'minPosition' | 'signal'>,
): Promise<void> {
  if (minPosition === undefined) return
  for (const deadline = Date.now() + POSITION_WAIT_MS; ; await delay(LOOK_EVERY_MS, undefined, { signal })) {
    const head = await readHead(documents)
    if (head?.last && head.last.position >= minPosition) return
    if (Date.now() > deadline) throw new Problem('read_model_behind', `the tree has not reached position ${minPosition} yet`)
  }
}

/** That something is not in the tree says nothing while the tree is being made. @throws Problem `read_model_behind`, Unavailable */
export async function requireWholeTree({ documents }: Audited): Promise<void> {
  const [newest] = await newestCheckpoints(documents, 1)
  const head = await readHead(documents)
  if (!newest || !head || head.size < newest.size) throw new Problem('read_model_behind', 'the tree is being made')
}

/** The newest, or the one of a tree of that size. @throws Problem `checkpoint_not_found`, Unavailable */
export async function requireCheckpoint({ documents }: Audited, size?: string): Promise<StoredCheckpoint> {
  const [found] = size === undefined ? await newestCheckpoints(documents, 1) : [await readCheckpointOf(documents, Number(size))]
  if (!found)
    throw new Problem('checkpoint_not_found', size === undefined ? 'nothing has been signed yet' : `none was signed of ${size} events`)
  return found
}

export const rootOf = ({ note }: StoredCheckpoint): Hash => readCheckpointText(readNote(note).text).root

/** @throws Problem `read_model_behind` for what the tree does not have while it is being made */
export async function fromWholeTree<T>(proof: Promise<T>): Promise<T> {
  try {
    return await proof
  } catch (error) {
    if (error instanceof NodeMissing) throw new Problem('read_model_behind', 'the tree is being made', { cause: error })
    throw error
  }
}

/** The size of a tree, as a query parameter. */
export const SIZE = { type: 'integer', minimum: 1, maximum: 999_999_999_999_999 } as const

/** The documents, or the log, were changed by somebody: no proof is made of them. */
export const contradiction = (detail: string) => new Problem('log_contradicts_tree', detail)

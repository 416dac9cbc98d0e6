import { AUDITED_STREAMS } from '../domain/audit/canonical-event.ts'
import { type Checkpoint, readCheckpoint, signCheckpoint } from '../domain/audit/checkpoint.ts'
import { isSame } from '../domain/audit/merkle-tree.ts'
import type { NoteKey } from '../domain/audit/signed-note.ts'
import type { EventLog } from '../domain/ports/event-log.ts'
import type { Identity, VerifyIdentity } from '../domain/ports/identity.ts'
import type { LastSigned } from '../domain/ports/signed-checkpoints.ts'
import type { Chain } from './chain.ts'
import { Contradiction } from './contradiction.ts'
import type { StoredTree } from './tree.ts'

export type SigningOptions = {
  log: Pick<EventLog, 'lastPosition'>
  chain: Chain
  identity: Identity
  key: NoteKey
  verify: VerifyIdentity
  lastSigned: LastSigned
}

/**
 * Signs the tree as it is, unless there is a checkpoint of it already; returns the size of the newest checkpoint. The tree must go on from every checkpoint
 * that this key has ever signed: from those in the log, and from the last one, which is kept beside the key.
 * @throws Contradiction when it does not, Unavailable
 */
export async function signTree(tree: Pick<StoredTree, 'head' | 'rootAt'>, options: SigningOptions): Promise<number> {
  const { chain, identity, key, verify, lastSigned } = options
  const { size, root, last } = tree.head()
  const newest = await chain.newest()
  const kept = await lastSigned.read()
  const signed = [newest?.checkpoint, kept === undefined ? undefined : readCheckpoint(kept, key, verify).checkpoint]
  for (const checkpoint of signed) {
    if (checkpoint === undefined) continue
    if (checkpoint.size <= size) await requireContinuation(tree, checkpoint)
    else if (await isWhole(options.log, last?.position)) throw shortened(checkpoint, size)
    else return checkpoint.size
  }
  const signedSize = newest?.checkpoint.size ?? 0
  if (size <= signedSize) return signedSize
  const note = await signCheckpoint({ size, root, previous: newest?.hash, time: new Date().toISOString() }, identity)
  await lastSigned.write(note)
  if (!(await chain.add(note))) return signedSize
  await chain.newest()
  return size
}

/** @throws Contradiction */
async function requireContinuation(tree: Pick<StoredTree, 'rootAt'>, { size, root, time }: Checkpoint): Promise<void> {
  if (!isSame(await tree.rootAt(size), root))
    throw new Contradiction('log_rewritten', `of the first ${size} events some are not those that were signed at ${time}`)
}

/** Whether all events in the log are in the tree, whose last leaf is at this position. */
async function isWhole(log: Pick<EventLog, 'lastPosition'>, position: bigint | undefined): Promise<boolean> {
  const last = await log.lastPosition(AUDITED_STREAMS)
  return last === undefined || (position !== undefined && last <= position)
}

function shortened({ size, time }: Checkpoint, left: number): Contradiction {
  return new Contradiction(
    'log_shortened',
    `${size} events were signed at ${time}, of which the log has ${left}: it was put back, or cut off`,
  )
}

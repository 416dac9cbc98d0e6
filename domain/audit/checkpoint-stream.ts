import type { Json, RecordedEvent } from '../ports/event-log.ts'
import { NoteRefused } from './signed-note.ts'

/** The stream that checkpoints are kept in: beside the events that they are of, and none of them. */
export const CHECKPOINT_STREAM = 'checkpoints'
export const CHECKPOINT_SIGNED = 'CheckpointSigned'

/** A checkpoint as a signed note, and the key that it is verified with. */
export type CheckpointSigned = { note: string; vkey: string }

/** @throws NoteRefused for an event that is none of a checkpoint */
export function checkpointSigned({ type, data }: Pick<RecordedEvent, 'type' | 'data'>): CheckpointSigned {
  const { note, vkey } = (data ?? {}) as { readonly [field: string]: Json | undefined }
  if (type !== CHECKPOINT_SIGNED || typeof note !== 'string' || typeof vkey !== 'string')
    throw new NoteRefused('note_malformed', `an event of ${CHECKPOINT_STREAM} is not that of a checkpoint`)
  return { note, vkey }
}

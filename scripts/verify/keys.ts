import { readFile } from 'node:fs/promises'
import { type NoteKey, NoteRefused, readVkey } from '../../domain/audit/signed-note.ts'

/** A vkey, or a file with one. @throws NoteRefused when it is neither */
export async function readKey(vkeyOrFile: string): Promise<NoteKey> {
  const text = await readFile(vkeyOrFile, 'utf8').catch(() => vkeyOrFile)
  if (!text.includes('+')) throw new NoteRefused('key_malformed', `${vkeyOrFile} is neither a vkey nor a file with one that can be read`)
  return readVkey(text.trim())
}

/** A signed note in a file: as it is, or in what the API has answered for a checkpoint. */
export async function readNoteFile(file: string): Promise<string> {
  const text = await readFile(file, 'utf8')
  if (!text.startsWith('{')) return text
  const { note } = JSON.parse(text) as { note?: unknown }
  return String(note)
}

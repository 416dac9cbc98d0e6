import { decodeDocument } from '../bson/decode.ts'
import type { Cursors } from '../cursors.ts'
import { type Doc, isDocument } from '../document.ts'
import { CommandError } from '../errors.ts'
import { LIMIT_MS } from '../query/time-limit.ts'
import { checkNamespace, type Databases } from '../store/databases.ts'
import type { Sequences } from '../wire/messages.ts'

export type Server = { databases: Databases; cursors: Cursors; startedAt: number; log: (line: string) => void }

/** One command as it came: `body`'s first field is the name, and its value mostly a collection. Its documents may be in `sequences`. */
export type Call = { server: Server; connectionId: number; database: string; name: string; body: Doc; sequences: Sequences }

/** A reply without its `ok`, or one that is already encoded. */
export type Reply = Doc | Uint8Array

export type Command = (call: Call) => Reply

export type Commands = { [name: string]: Command }

/** The collection that the command names. @throws InvalidNamespace */
export function collectionName({ database, name, body }: Call): string {
  const collection = body[name]
  if (typeof collection !== 'string') throw new CommandError('InvalidNamespace', `${name} needs the name of a collection`)
  checkNamespace(database, collection)
  return collection
}

/** @throws TypeMismatch */
export function documentField(body: Doc, field: string): Doc {
  const value = body[field] ?? {}
  if (!isDocument(value)) throw new CommandError('TypeMismatch', `${field} must be a document`)
  return value
}

/** @throws TypeMismatch */
export function documentsField(body: Doc, field: string): Doc[] {
  const value = body[field] ?? []
  if (!Array.isArray(value) || !value.every(isDocument)) throw new CommandError('TypeMismatch', `${field} must be an array of documents`)
  return value
}

/** Those that came as a sequence or, from some clients, as a field of the body. @throws TypeMismatch, InvalidBSON */
export function statements({ body, sequences }: Call, field: string): Doc[] {
  return sequences.get(field)?.map((encoded) => decodeDocument(encoded)) ?? documentsField(body, field)
}

/** False when absent; numbers count as in MongoDB. @throws TypeMismatch */
export function booleanField(body: Doc, field: string): boolean {
  const value = body[field] ?? false
  if (typeof value !== 'boolean' && typeof value !== 'number') throw new CommandError('TypeMismatch', `${field} must be a boolean`)
  return Boolean(value)
}

/** A count that is not negative, undefined when absent. @throws TypeMismatch, BadValue */
export function countField(body: Doc, field: string): number | undefined {
  const value = body[field]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number') throw new CommandError('TypeMismatch', `${field} must be a number`)
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new CommandError('BadValue', `${field} must be an integer of at least 0`)
  return value as number
}

/** How long a command may compute, in milliseconds: its `maxTimeMS`, where 0 is none, but no more than the server's own limit. @throws TypeMismatch, BadValue */
export const timeLimit = (body: Doc): number => Math.min(countField(body, 'maxTimeMS') || LIMIT_MS, LIMIT_MS)

/** Options that would change the result, and that this server does not have, are refused rather than ignored. @throws CommandNotSupported */
export function refuseOptions(body: Doc, options: readonly string[]): void {
  const found = options.find((option) => body[option] !== undefined && body[option] !== false)
  if (found !== undefined) throw new CommandError('CommandNotSupported', `the embedded server does not support the option ${found}`)
}

import type { ExecutionContext } from 'ava'
import type { Document as AnyDocument, Collection, Db, ObjectId } from 'mongodb'
import type { Documents } from '../../domain/ports/documents.ts'
import type { ProjectionStore } from '../../domain/ports/projections.ts'

/** A server under test. `lacks` says of which tests, by title, it is known not to be capable, and why. */
export type DocumentsServer = {
  description: string
  host: string
  port: number
  documents: Documents
  projections: ProjectionStore
  /** The same database through the official driver. */
  database: Db
  lacks: ReadonlyMap<string, string>
  close(): Promise<void>
}

export type Fixture = {
  name: string
  documents: Documents
  projections: ProjectionStore
  collection: Collection<AnyDocument & { _id: string | number | ObjectId }>
}

/** Declares a test that gets a collection of its own. */
export type Check = (title: string, run: (t: ExecutionContext, fixture: Fixture) => Promise<void>) => void

import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'
import { connectDocuments } from '../../adapters/mongodb/documents.ts'
import type { DocumentsServer } from './documents.ts'

/** FerretDB 1.24 speaks MongoDB's protocol, but has not all of its language. */
const FERRETDB_LACKS = new Map([
  ['elements of arrays are updated by position', 'FerretDB has no positional operator'],
  ['elements of arrays are updated by array filter', 'FerretDB has no arrayFilters'],
  ['an update can be a pipeline', 'FerretDB has no updates by pipeline'],
  ['a pull can take a condition', 'FerretDB pulls only by value'],
  ['a push can keep an array sorted and bounded', 'FerretDB ignores $sort and $slice'],
  ['find-and-modify answers with the fields asked for', 'FerretDB has no projection in findAndModify'],
  ['a duplicate key error names the key', 'FerretDB answers without keyPattern and keyValue'],
  ['an update that would break a unique index changes nothing', 'FerretDB answers with an internal error instead of 11000'],
  ['a unique index cannot be made over duplicates', 'FerretDB answers with an internal error instead of 11000'],
  ['a pipeline computes several totals of each group', 'FerretDB computes only the first of several accumulators'],
])

/** A server under test, with a database of its own that is dropped at the end. `close` is for what was started with it. */
export async function openDocumentsServer(
  url: string,
  { kind, close }: { kind?: string; close?(): Promise<void> } = {},
): Promise<DocumentsServer> {
  const name = `quorate_contract_${randomUUID().replaceAll('-', '')}`
  const client = await MongoClient.connect(url, { serverSelectionTimeoutMS: 5_000 })
  const documents = await connectDocuments({ url, database: name })
  const build = await client.db(name).command({ buildInfo: 1 })
  const isFerret = build.ferretdbVersion !== undefined || build.ferretdb !== undefined
  const { hostname, port } = new URL(url)
  return {
    description: `${kind ?? (isFerret ? 'FerretDB' : 'MongoDB')}, as version ${build.version}`,
    host: hostname,
    port: Number(port || 27017),
    documents,
    database: client.db(name),
    lacks: isFerret ? FERRETDB_LACKS : new Map(),
    async close() {
      await client.db(name).dropDatabase()
      await documents.close()
      await client.close()
      await close?.()
    },
  }
}

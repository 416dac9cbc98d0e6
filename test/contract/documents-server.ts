import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'
import { connectMongo } from '../../adapters/mongodb/connect.ts'
import type { DocumentsServer } from './documents-fixture.ts'

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
  ['concurrent updates of one document are all counted', 'FerretDB does not update documents atomically'],
  ['of many who want the same document at the same position, one gets it', 'FerretDB does not update documents atomically'],
  [
    'whatever is repeated or delayed, and whoever else writes it, the documents are those of one pass',
    'FerretDB does not update documents atomically',
  ],
  ['what is stored comes back byte for byte, also after an update of another field', 'FerretDB has no arrays within arrays'],
  ['an unordered bulk write says of each failure where it was, and of each upsert what came of it', 'FerretDB stops at the first failure'],
  ['an index is made once, and not under two names or with two meanings', 'FerretDB takes other options for the same index'],
  ['a collection is renamed with all that belongs to it', 'FerretDB cannot rename over another collection'],
  ['what a client asks wrongly is refused by its code, and harms nothing', 'FerretDB has another code for unknown stages'],
])

/** A server under test, with a database of its own that is dropped at the end. `close` is for what was started with it. */
export async function openDocumentsServer(
  url: string,
  { kind, close }: { kind?: string; close?(): Promise<void> } = {},
): Promise<DocumentsServer> {
  const name = `quorate_contract_${randomUUID().replaceAll('-', '')}`
  const client = await MongoClient.connect(url, { serverSelectionTimeoutMS: 5_000 })
  const mongo = await connectMongo({ url, database: name })
  const build = await client.db(name).command({ buildInfo: 1 })
  const isFerret = build.ferretdbVersion !== undefined || build.ferretdb !== undefined
  const { hostname, port } = new URL(url)
  return {
    description: `${kind ?? (isFerret ? 'FerretDB' : 'MongoDB')}, as version ${build.version}`,
    host: hostname,
    port: Number(port || 27017),
    documents: mongo.documents,
    projections: mongo.projections,
    database: client.db(name),
    lacks: isFerret ? FERRETDB_LACKS : new Map(),
    async close() {
      await client.db(name).dropDatabase()
      await mongo.close()
      await client.close()
      await close?.()
    },
  }
}

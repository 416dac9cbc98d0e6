import { encodeDocument } from '../bson/encode.ts'
import { type Doc, isDocument } from '../document.ts'
import { CommandError } from '../errors.ts'
import { compileFilter } from '../query/match.ts'
import { equalValues } from '../query/order.ts'
import type { Collection } from '../store/collection.ts'
import { type IndexDefinition, parseIndexDefinition } from '../store/secondary-index.ts'
import {
  booleanField,
  type Call,
  type Command,
  type Commands,
  collectionName,
  countField,
  documentField,
  documentsField,
  refuseOptions,
} from './command.ts'

function existing(call: Call): Collection {
  const name = collectionName(call)
  const collection = call.server.databases.find(call.database, name)
  if (!collection) throw new CommandError('NamespaceNotFound', `ns does not exist: ${call.database}.${name}`)
  return collection
}

/** The embedded server holds catalogues that fit into one batch many times over, but the client may ask for smaller ones. */
function listing(call: Call, namespace: string, items: Doc[]): Uint8Array {
  const batchSize = countField(documentField(call.body, 'cursor'), 'batchSize') ?? items.length
  return call.server.cursors.open(`${call.database}.${namespace}`, items.map(encodeDocument), { batchSize })
}

const create: Command = (call) => {
  refuseOptions(call.body, ['capped', 'timeseries', 'viewOn', 'validator', 'collation', 'clusteredIndex', 'expireAfterSeconds'])
  const name = collectionName(call)
  const { databases } = call.server
  if (databases.find(call.database, name)) throw new CommandError('NamespaceExists', `collection ${call.database}.${name} already exists`)
  databases.open(call.database, name)
  return {}
}

const drop: Command = (call) => {
  const { namespace, indexes } = existing(call)
  call.server.databases.drop(call.database, collectionName(call))
  return { nIndexesWas: indexes.size, ns: namespace }
}

/** Namespaces are given in full, and the target is in the way unless `dropTarget`. Sent to the database `admin`. */
const renameCollection: Command = ({ server, body }) => {
  const { renameCollection: source, to } = body
  if (typeof source !== 'string' || typeof to !== 'string') throw new CommandError('TypeMismatch', 'renameCollection needs two namespaces')
  const [from, target] = [parseNamespace(source), parseNamespace(to)]
  if (!server.databases.find(...from)) throw new CommandError('NamespaceNotFound', `Source collection ${source} does not exist`)
  if (source === to) throw new CommandError('IllegalOperation', "Can't rename a collection to itself")
  if (server.databases.find(...target) && !booleanField(body, 'dropTarget'))
    throw new CommandError('NamespaceExists', 'target namespace exists')
  server.databases.rename(from, target)
  return {}
}

function parseNamespace(namespace: string): readonly [database: string, name: string] {
  const dot = namespace.indexOf('.')
  if (dot < 0) throw new CommandError('InvalidNamespace', `invalid namespace '${namespace}'`)
  return [namespace.slice(0, dot), namespace.slice(dot + 1)]
}

const dbStats: Command = ({ server, database }) => {
  const collections = server.databases.collections(database)
  return {
    db: database,
    collections: collections.length,
    objects: collections.reduce((sum, { size }) => sum + size, 0),
    indexes: collections.reduce((sum, { indexes }) => sum + indexes.size, 0),
    storageSize: collections.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0),
  }
}

const dropDatabase: Command = ({ server, database }) => {
  server.databases.dropDatabase(database)
  return { dropped: database }
}

const listCollections: Command = (call) => {
  const matches = compileFilter(documentField(call.body, 'filter'))
  const nameOnly = call.body.nameOnly === true
  const items = call.server.databases.collections(call.database).map(({ namespace }): Doc => {
    const name = namespace.slice(call.database.length + 1)
    const details = { options: {}, info: { readOnly: false }, idIndex: { v: 2, key: { _id: 1 }, name: '_id_' } }
    return { name, type: 'collection', ...(!nameOnly && details) }
  })
  return listing(call, '$cmd.listCollections', items.filter(matches))
}

const listDatabases: Command = ({ server }) => {
  const databases = server.databases.names().map((name) => ({ name, sizeOnDisk: 0, empty: false }))
  return { databases, totalSize: 0 }
}

const createIndexes: Command = (call) => {
  const definitions = documentsField(call.body, 'indexes').map(parseIndexDefinition)
  if (definitions.length === 0) throw new CommandError('BadValue', 'Must specify at least one index to create')
  const name = collectionName(call)
  const isNew = call.server.databases.find(call.database, name) === undefined
  const collection = call.server.databases.open(call.database, name)
  const before = collection.indexes.size
  for (const definition of definitions) collection.createIndex(definition)
  return { numIndexesBefore: before, numIndexesAfter: collection.indexes.size, createdCollectionAutomatically: isNew }
}

/** False options are left out, as MongoDB does. */
const describeIndex = ({ name, key, unique, sparse, partialFilterExpression }: IndexDefinition): Doc => ({
  v: 2,
  key,
  name,
  ...(unique && name !== '_id_' && { unique }),
  ...(sparse && { sparse }),
  ...(partialFilterExpression && { partialFilterExpression }),
})

const listIndexes: Command = (call) => {
  const { indexes } = existing(call)
  const items = [...indexes.values()].map(({ definition }) => describeIndex(definition))
  return listing(call, collectionName(call), items)
}

/** By name, by key, by list of names, or `*` for all but `_id_`. */
function indexesToDrop({ indexes }: Collection, selector: unknown): string[] {
  if (selector === '*') return [...indexes.keys()].filter((name) => name !== '_id_')
  if (isDocument(selector)) {
    const found = [...indexes.values()].find(({ definition }) => equalValues(definition.key, selector))
    return [found?.definition.name ?? JSON.stringify(selector)]
  }
  return (Array.isArray(selector) ? selector : [selector]).map(String)
}

const dropIndexes: Command = (call) => {
  const collection = existing(call)
  const before = collection.indexes.size
  const names = indexesToDrop(collection, call.body.index)
  for (const name of names) {
    if (name === '_id_') throw new CommandError('InvalidOptions', 'cannot drop _id index')
    if (!collection.indexes.has(name)) throw new CommandError('IndexNotFound', `index not found with name [${name}]`)
  }
  for (const name of names) collection.dropIndex(name)
  return { nIndexesWas: before }
}

export const catalogCommands: Commands = {
  create,
  drop,
  renameCollection,
  dropDatabase,
  dbStats,
  listCollections,
  listDatabases,
  createIndexes,
  listIndexes,
  dropIndexes,
}

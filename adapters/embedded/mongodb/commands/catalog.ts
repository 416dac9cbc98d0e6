import { type Doc, isDocument } from '../document.ts'
import { CommandError } from '../errors.ts'
import { compileFilter } from '../query/match.ts'
import { equalValues } from '../query/order.ts'
import type { Collection } from '../store/collection.ts'
import { type IndexDefinition, parseIndexDefinition } from '../store/secondary-index.ts'
import {
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
  return call.server.cursors.open(`${call.database}.${namespace}`, items, { batchSize })
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
  dropDatabase,
  listCollections,
  listDatabases,
  createIndexes,
  listIndexes,
  dropIndexes,
}

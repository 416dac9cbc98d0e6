import { CommandError } from '../errors.ts'
import { type Collection, createCollection } from './collection.ts'
import { createSpace } from './space.ts'

export type Databases = {
  names(): string[]
  collections(database: string): Collection[]
  find(database: string, name: string): Collection | undefined
  /** Makes the database and the collection when they are missing. @throws InvalidNamespace */
  open(database: string, name: string): Collection
  /** False when there is none. */
  drop(database: string, name: string): boolean
  dropDatabase(database: string): void
  /** Takes the place of the target when there is one. The collection must be there. @throws InvalidNamespace */
  rename(from: readonly [database: string, name: string], to: readonly [database: string, name: string]): void
}

const MAX_COLLECTIONS = 10_000
const MAX_DOCUMENT_BYTES_IN_TOTAL = 1024 ** 3

/** Names as MongoDB allows them. @throws InvalidNamespace */
export function checkNamespace(database: string, name: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what must not be there
  if (!/^[^/\\. "$*<>:|?\u0000]{1,63}$/.test(database)) throw new CommandError('InvalidNamespace', `invalid database name '${database}'`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what must not be there
  if (!/^[^.$\u0000][^$\u0000]{0,234}$/.test(name)) throw new CommandError('InvalidNamespace', `invalid collection name '${name}'`)
}

export function createDatabases(): Databases {
  const databases = new Map<string, Map<string, Collection>>()
  const space = createSpace(MAX_DOCUMENT_BYTES_IN_TOTAL)
  let count = 0

  const find = (database: string, name: string): Collection | undefined => databases.get(database)?.get(name)

  function open(database: string, name: string): Collection {
    const existing = find(database, name)
    if (existing) return existing
    checkNamespace(database, name)
    if (count >= MAX_COLLECTIONS)
      throw new CommandError('OutOfDiskSpace', `the embedded server holds at most ${MAX_COLLECTIONS} collections`)
    const collections = databases.get(database) ?? new Map<string, Collection>()
    const collection = createCollection(`${database}.${name}`, space)
    databases.set(database, collections.set(name, collection))
    count++
    return collection
  }

  function drop(database: string, name: string): boolean {
    const collection = find(database, name)
    if (!collection) return false
    collection.clear()
    vacate(database, name)
    count--
    return true
  }

  /** The collection's place in its database; the last one to go takes the database along. */
  function vacate(database: string, name: string): void {
    const collections = databases.get(database)
    collections?.delete(name)
    if (collections?.size === 0) databases.delete(database)
  }

  return {
    names: () => [...databases.keys()],
    collections: (database) => [...(databases.get(database)?.values() ?? [])],
    find,
    open,
    drop,
    dropDatabase(database) {
      for (const name of [...(databases.get(database)?.keys() ?? [])]) drop(database, name)
    },
    rename(from, to) {
      const collection = find(...from)
      if (!collection) return
      checkNamespace(...to)
      drop(...to)
      vacate(...from)
      const [database, name] = to
      databases.set(database, (databases.get(database) ?? new Map<string, Collection>()).set(name, collection))
      collection.rename(`${database}.${name}`)
    },
  }
}

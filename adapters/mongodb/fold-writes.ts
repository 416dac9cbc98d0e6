import type { GuardedWrite } from '../../domain/ports/documents.ts'
import type { Json, JsonObject } from '../../domain/ports/event-log.ts'

/** The update that has the same effect as several writes one after another. No path is another's parent, as MongoDB demands. */
export type FoldedUpdate = { set: Map<string, Json>; increment: Map<string, number>; push: Map<string, Json[]> }

const isWithin = (path: string, parent: string): boolean => path.startsWith(`${parent}.`)

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

function incremented(value: Json | undefined, by: number, path: string): number {
  if (value !== undefined && typeof value !== 'number') throw new TypeError(`cannot increment ${path}: it is not a number`)
  return (value ?? 0) + by
}

function appended(value: Json | undefined, element: Json, path: string): Json[] {
  if (value !== undefined && !Array.isArray(value)) throw new TypeError(`cannot append to ${path}: it is not an array`)
  return [...(value ?? []), element]
}

/** A copy of `value` with the value at a dotted path within it replaced. */
function changedWithin(value: Json, path: string, change: (current: Json | undefined) => Json): Json {
  if (!isObject(value)) throw new TypeError(`cannot write ${path} within a value that is not an object`)
  const dot = path.indexOf('.')
  if (dot < 0) return { ...value, [path]: change(value[path]) }
  const [field, rest] = [path.slice(0, dot), path.slice(dot + 1)]
  return { ...value, [field]: changedWithin(value[field] ?? {}, rest, change) }
}

/** Changes a path inside what has been set before in the same update. False when nothing there, or above it, has been set. */
function changeSet(set: FoldedUpdate['set'], path: string, change: (current: Json | undefined) => Json): boolean {
  if (set.has(path)) {
    set.set(path, change(set.get(path)))
    return true
  }
  const parent = [...set.keys()].find((each) => isWithin(path, each))
  if (parent === undefined) return false
  set.set(parent, changedWithin(set.get(parent)!, path.slice(parent.length + 1), change))
  return true
}

function refuseOverlap({ set, increment, push }: FoldedUpdate, path: string, own: ReadonlyMap<string, unknown>): void {
  for (const paths of [set, increment, push])
    for (const each of paths.keys())
      if (isWithin(each, path) || isWithin(path, each) || (each === path && paths !== own))
        throw new TypeError(`writes to ${each} and ${path} cannot be one update`)
}

function assign(update: FoldedUpdate, path: string, value: Json): void {
  for (const paths of [update.set, update.increment, update.push])
    for (const each of [...paths.keys()]) if (each === path || isWithin(each, path)) paths.delete(each)
  if (changeSet(update.set, path, () => value)) return
  refuseOverlap(update, path, update.set)
  update.set.set(path, value)
}

function increment(update: FoldedUpdate, path: string, by: number): void {
  if (changeSet(update.set, path, (current) => incremented(current, by, path))) return
  refuseOverlap(update, path, update.increment)
  update.increment.set(path, (update.increment.get(path) ?? 0) + by)
}

function push(update: FoldedUpdate, path: string, element: Json): void {
  if (changeSet(update.set, path, (current) => appended(current, element, path))) return
  refuseOverlap(update, path, update.push)
  update.push.set(path, [...(update.push.get(path) ?? []), element])
}

/**
 * Folds writes to one document, in their order, into a single update. Within a write `set` comes before `increment` before `push`.
 * @throws TypeError when no single update can have their effect
 */
export function foldWrites(writes: readonly Pick<GuardedWrite, 'set' | 'increment' | 'push'>[]): FoldedUpdate {
  const update: FoldedUpdate = { set: new Map(), increment: new Map(), push: new Map() }
  for (const write of writes) {
    for (const [path, value] of Object.entries(write.set ?? {})) assign(update, path, value)
    for (const [path, by] of Object.entries(write.increment ?? {})) increment(update, path, by)
    for (const [path, element] of Object.entries(write.push ?? {})) push(update, path, element)
  }
  return update
}

import type { GuardedWrite } from '../../domain/ports/documents.ts'
import type { Json, JsonObject } from '../../domain/ports/event-log.ts'

/** The update that has the same effect as several writes one after another. No path is another's parent, as MongoDB demands. */
export type FoldedUpdate = { set: Map<string, Json>; increment: Map<string, number>; push: Map<string, Json[]> }

/** `nested` when any of the paths leads into a field: without, paths have to do with each other only when they are the same. */
type Fold = FoldedUpdate & { nested: boolean }

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
function changeSet({ set, nested }: Fold, path: string, change: (current: Json | undefined) => Json): boolean {
  if (set.has(path)) {
    set.set(path, change(set.get(path)))
    return true
  }
  const parent = nested ? [...set.keys()].find((each) => isWithin(path, each)) : undefined
  if (parent === undefined) return false
  set.set(parent, changedWithin(set.get(parent)!, path.slice(parent.length + 1), change))
  return true
}

function refuseOverlap({ set, increment, push, nested }: Fold, path: string, own: ReadonlyMap<string, unknown>): void {
  for (const paths of [set, increment, push]) {
    if (paths !== own && paths.has(path)) throw new TypeError(`writes to ${path} cannot be one update`)
    if (!nested) continue
    for (const each of paths.keys())
      if (isWithin(each, path) || isWithin(path, each)) throw new TypeError(`writes to ${each} and ${path} cannot be one update`)
  }
}

function forget({ set, increment, push, nested }: Fold, path: string): void {
  for (const paths of [set, increment, push]) {
    paths.delete(path)
    if (nested) for (const each of [...paths.keys()]) if (isWithin(each, path)) paths.delete(each)
  }
}

function assign(fold: Fold, path: string, value: Json): void {
  if (fold.nested || fold.increment.size > 0 || fold.push.size > 0) forget(fold, path)
  if (fold.nested) {
    if (changeSet(fold, path, () => value)) return
    refuseOverlap(fold, path, fold.set)
  }
  fold.set.set(path, value)
}

function increment(fold: Fold, path: string, by: number): void {
  if (changeSet(fold, path, (current) => incremented(current, by, path))) return
  refuseOverlap(fold, path, fold.increment)
  fold.increment.set(path, (fold.increment.get(path) ?? 0) + by)
}

function push(fold: Fold, path: string, element: Json): void {
  if (changeSet(fold, path, (current) => appended(current, element, path))) return
  refuseOverlap(fold, path, fold.push)
  fold.push.set(path, [...(fold.push.get(path) ?? []), element])
}

/**
 * Folds writes to one document, in their order, into a single update. Within a write `set` comes before `increment` before `push`.
 * @throws TypeError when no single update can have their effect
 */
export function foldWrites(writes: readonly Pick<GuardedWrite, 'set' | 'increment' | 'push'>[]): FoldedUpdate {
  const fold: Fold = { set: new Map(), increment: new Map(), push: new Map(), nested: writes.some(hasNestedPaths) }
  for (const write of writes) {
    for (const path in write.set) assign(fold, path, write.set[path]!)
    for (const path in write.increment) increment(fold, path, write.increment[path]!)
    for (const path in write.push) push(fold, path, write.push[path]!)
  }
  return fold
}

function hasNestedPaths(write: Pick<GuardedWrite, 'set' | 'increment' | 'push'>): boolean {
  for (const fields of [write.set, write.increment, write.push]) for (const path in fields) if (path.includes('.')) return true
  return false
}

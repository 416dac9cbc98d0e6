import { Long, Timestamp } from 'bson'
import { add, bitwise, multiply } from '../arithmetic.ts'
import { cloneValue, type Doc, isDocument, ownField } from '../document.ts'
import { CommandError } from '../errors.ts'
import { compareValues, equalValues } from '../query/order.ts'
import { addToSet, pop, pull, pullAll, push } from './arrays.ts'
import { type Change, changeAt, KEEP, type Positions, parsePath, REMOVE } from './path.ts'

/** Makes the change that an operator's argument for one path asks for; `creates` says whether missing parents are made. */
type Operator = { creates: boolean; change(argument: unknown, now: Date): Change }

/** 1 and 1.0 are the same stored value here, but documents with their fields in another order are not. */
const assign =
  (value: unknown): Change =>
  (current) =>
    current !== undefined && typeof current === typeof value && equalValues(current, value) ? KEEP : cloneValue(value)

function currentDate(argument: unknown, now: Date): Change {
  const type = isDocument(argument) ? argument.$type : argument === true ? 'date' : undefined
  if (type === 'date') return () => now
  if (type === 'timestamp') return () => new Timestamp({ t: Math.floor(now.getTime() / 1000), i: 1 })
  throw new CommandError('BadValue', '$currentDate takes true, or a $type of date or timestamp')
}

function bit(argument: unknown): Change {
  const [operation] = isDocument(argument) ? Object.entries(argument) : []
  if (!operation) throw new CommandError('BadValue', '$bit takes and, or, xor of integers')
  return (current) => bitwise(operation[0], current ?? 0, operation[1])
}

const isNumeric = (value: unknown): boolean => typeof value === 'number' || value instanceof Long

function numeric(operator: string, argument: unknown, change: Change): Change {
  if (!isNumeric(argument)) throw new CommandError('TypeMismatch', `cannot ${operator} with a non-numeric argument`)
  return change
}

const OPERATORS: { [name: string]: Operator } = {
  $set: { creates: true, change: assign },
  $inc: { creates: true, change: (by) => numeric('$inc', by, (current) => (current === undefined ? by : add(current, by))) },
  $mul: { creates: true, change: (by) => numeric('$mul', by, (current) => (current === undefined ? 0 : multiply(current, by))) },
  $min: {
    creates: true,
    change: (value) => (current) => (current !== undefined && compareValues(current, value) <= 0 ? KEEP : cloneValue(value)),
  },
  $max: {
    creates: true,
    change: (value) => (current) => (current !== undefined && compareValues(current, value) >= 0 ? KEEP : cloneValue(value)),
  },
  $unset: { creates: false, change: () => () => REMOVE },
  $currentDate: { creates: true, change: currentDate },
  $bit: { creates: true, change: bit },
  $push: { creates: true, change: push },
  $addToSet: { creates: true, change: addToSet },
  $pull: { creates: false, change: pull },
  $pullAll: { creates: false, change: pullAll },
  $pop: { creates: false, change: pop },
}

/** One field to change, parsed and ready for any number of documents. */
type Step = (document: Doc, positions: Positions, inserting: boolean) => boolean

function rename(from: string, to: unknown): Step {
  if (typeof to !== 'string') throw new CommandError('BadValue', `the 'to' field of $rename must be a string: ${from}`)
  const [source, target] = [parsePath(from), parsePath(to)]
  return (document, positions) => {
    const value = source.reduce<unknown>((at, segment) => (isDocument(at) ? ownField(at, segment) : undefined), document)
    if (value === undefined) return false
    changeAt(document, source, () => REMOVE, false, positions)
    return changeAt(document, target, () => value, true, positions)
  }
}

function stepOf(name: string, path: string, argument: unknown, now: Date): Step {
  const segments = parsePath(path)
  if (name === '$rename') return rename(path, argument)
  if (name === '$setOnInsert') {
    const change = assign(argument)
    return (document, positions, inserting) => inserting && changeAt(document, segments, change, true, positions)
  }
  const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined
  if (!operator) throw new CommandError('FailedToParse', `unknown modifier: ${name}`)
  const change = operator.change(argument, now)
  return (document, positions) => changeAt(document, segments, change, operator.creates, positions)
}

/** A path above another one of `taken`, undefined when there is none. */
function parentIn(taken: ReadonlySet<string>, path: string): string | undefined {
  for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) if (taken.has(path.slice(0, dot))) return path.slice(0, dot)
  return undefined
}

/** Two operators may not touch the same field, nor a field and its parent. */
function refuseConflicts(paths: readonly string[]): void {
  const taken = new Set<string>()
  for (const path of paths) {
    if (taken.has(path)) throw conflict(path, path)
    taken.add(path)
  }
  for (const path of paths) {
    const parent = parentIn(taken, path)
    if (parent !== undefined) throw conflict(path, parent)
  }
}

const conflict = (path: string, at: string): CommandError =>
  new CommandError('ConflictingUpdateOperators', `updating the path '${path}' would create a conflict at '${at}'`)

/** Changes a document in place and says whether anything changed. */
export type Modify = (document: Doc, positions: Positions, inserting: boolean) => boolean

/** @throws FailedToParse, ConflictingUpdateOperators, BadValue, TypeMismatch */
export function compileOperators(update: Doc, now: Date): Modify {
  const steps: Step[] = []
  const paths: string[] = []
  for (const [name, fields] of Object.entries(update)) {
    if (!isDocument(fields)) throw new CommandError('FailedToParse', `modifiers operate on fields, but ${name} has none`)
    for (const [path, argument] of Object.entries(fields)) {
      steps.push(stepOf(name, path, argument, now))
      paths.push(path)
      if (name === '$rename') paths.push(String(argument))
    }
  }
  refuseConflicts(paths)
  return (document, positions, inserting) => {
    let changed = false
    for (const step of steps) if (step(document, positions, inserting)) changed = true
    return changed
  }
}

/** What is different between two states: the JSON Pointer of each value that is, with what it was and what it is. */
export type Difference = { readonly path: string; readonly before?: unknown; readonly after?: unknown }

/** Members of lists that have an id are told apart by it, others by their place. */
export function differencesBetween(before: unknown, after: unknown, path = ''): Difference[] {
  const [one, other] = [membersOf(before), membersOf(after)]
  if (!one || !other)
    return isSame(before, after) ? [] : [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }]
  return [...new Set([...one.keys(), ...other.keys()])].flatMap((name) =>
    differencesBetween(one.get(name), other.get(name), `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  )
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)

const IDS = ['keyId', 'sessionId', 'accountId', 'transferId', 'kid']

function membersOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (!Array.isArray(value)) return new Map(Object.entries(value))
  return new Map(value.map((member, index) => [idOf(member) ?? String(index), member]))
}

function idOf(member: unknown): string | undefined {
  const fields = (typeof member === 'object' ? member : {}) as { readonly [name: string]: unknown } | null
  // The most particular: a session has the id of its key, too.
  const found = IDS.toReversed().find((name) => typeof fields?.[name] === 'string')
  return found && String(fields?.[found])
}

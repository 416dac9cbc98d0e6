import { isDocument, ownField } from '../document.ts'

const isPosition = (segment: string): boolean => /^\d+$/.test(segment)

function collect(value: unknown, segments: readonly string[], from: number, found: unknown[]): void {
  if (from === segments.length) {
    found.push(value)
    return
  }
  const segment = segments[from]!
  if (Array.isArray(value)) {
    if (isPosition(segment)) collect(value[Number(segment)], segments, from + 1, found)
    for (const element of value) if (isDocument(element)) collect(element, segments, from, found)
  } else {
    found.push(...valuesFrom(isDocument(value) ? ownField(value, segment) : undefined, segments, from + 1))
  }
}

function valuesFrom(value: unknown, segments: readonly string[], from: number): unknown[] {
  const found: unknown[] = []
  collect(value, segments, from, found)
  return found.length > 0 ? found : [undefined]
}

/** The values that a dotted path leads to: one per array element on the way, `undefined` where there is nothing. */
export function valuesAt(document: object, path: string): unknown[] {
  if (!path.includes('.')) return [ownField(document, path)]
  return valuesFrom(document, path.split('.'), 0)
}

/** Like `valuesAt`, and an array at the end also stands for each of its elements, as in a query. */
export function candidatesAt(document: object, path: string): unknown[] {
  const values = valuesAt(document, path)
  return values.some(Array.isArray) ? values.flatMap((value) => (Array.isArray(value) ? [value, ...value] : [value])) : values
}

/** The values at a path, each element of an array for itself, as `distinct` sees them. */
export const elementsAt = (document: object, path: string): unknown[] =>
  valuesAt(document, path)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter((value) => value !== undefined)

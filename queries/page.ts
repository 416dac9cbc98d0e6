/** Lists in pages, with opaque cursors. */
import type { Document, Documents, Find } from '../domain/ports/documents.ts'
import { Problem } from '../http/problem.ts'
import type { QueryParameter, RouteRequest } from '../http/route.ts'
import { present, type Shape } from './present.ts'

const DEFAULT_LIMIT = 50

export const PAGE_PARAMETERS: { readonly [name: string]: QueryParameter } = {
  cursor: { description: '`nextCursor` of the page before.', schema: { type: 'string', maxLength: 256 } },
  limit: { description: 'Items in a page.', schema: { type: 'integer', minimum: 1, maximum: 200, default: DEFAULT_LIMIT } },
}

export type Page = { items: object[]; nextCursor: string | null }

/**
 * One page of a collection's documents, in the order of their ids. The entity tag changes with any of them.
 * @throws Problem `invalid_cursor`
 */
export async function readPage(
  documents: Documents,
  { query }: Pick<RouteRequest, 'query'>,
  { collection, shape, where, direction }: { collection: string; shape: Shape } & Pick<Find, 'where' | 'direction'>,
): Promise<{ page: Page; etag: string }> {
  const limit = Number(query.limit ?? DEFAULT_LIMIT)
  const beyond = query.cursor === undefined ? undefined : idFrom(collection, query.cursor)
  const found = await documents.find(collection, { where, by: '_id', direction, beyond, limit: limit + 1 })
  const items = found.slice(0, limit)
  const last = found.length > limit ? items.at(-1) : undefined
  return {
    page: { items: items.map((document) => present(document, shape)), nextCursor: last ? cursorOf(collection, last) : null },
    etag: `${newest(found)}-${found.length}`,
  }
}

function newest(documents: readonly Document[]): number {
  return documents.reduce((highest, { position }) => Math.max(highest, Number(position)), 0)
}

function cursorOf(collection: string, { _id }: Document): string {
  return Buffer.from(`${collection}:${_id}`).toString('base64url')
}

/** Only what `cursorOf` made for the same collection is taken. */
function idFrom(collection: string, cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString()
  const id = text.slice(collection.length + 1)
  if (!text.startsWith(`${collection}:`) || !/^[\w-]{1,64}$/.test(id) || cursorOf(collection, { _id: id }) !== cursor)
    throw new Problem('invalid_cursor', 'take the cursor from nextCursor of this list', {
      errors: [{ parameter: 'cursor', code: 'invalid_cursor', detail: 'is not one of this list' }],
    })
  return id
}

/** Lists in pages, with opaque cursors. */
import type { Document, Find } from '../domain/ports/documents.ts'
import { Problem } from '../http/problem.ts'
import type { QueryParameter, RouteRequest } from '../http/route.ts'
import { present, type Shape } from './present.ts'
import { type AsOf, notShownIn, type ReadModelName, type ReadModels, type ReadRequest, readList } from './read-model.ts'

const DEFAULT_LIMIT = 50

export const PAGE_PARAMETERS: { readonly [name: string]: QueryParameter } = {
  cursor: { description: '`nextCursor` of the page before.', schema: { type: 'string', maxLength: 256 } },
  limit: { description: 'Items in a page.', schema: { type: 'integer', minimum: 1, maximum: 200, default: DEFAULT_LIMIT } },
}

/** What is listed, and how. `view` is what is made of a document before it is shown. */
export type Listed = { model: ReadModelName; shape: Shape; view?: (document: Document) => Document | Promise<Document> } & Pick<
  Find,
  'direction'
> &
  Partial<Pick<Find, 'by'>>

export type Page = { items: object[]; nextCursor: string | null }

/**
 * One page of a read model's documents, in the order of their ids, or of another field that is as good as one: they stay what they are from build to build. The
 * entity tag changes with any of the documents.
 * @throws Problem `invalid_cursor`, `read_model_behind`; Unavailable
 */
export async function readPage(
  models: ReadModels,
  request: ReadRequest & Pick<RouteRequest, 'query'>,
  { model, shape, view = (document) => document, where, direction, by = '_id' }: Listed & Pick<Find, 'where'>,
): Promise<{ page: Page; etag: string; asOf: AsOf }> {
  const { query } = request
  const limit = pageSize(query)
  const beyond = query.cursor === undefined ? undefined : idFrom(model, query.cursor)
  const { found, asOf } = await readList(models, request, model, { where, by, direction, beyond, limit: limit + 1 })
  const items = found.slice(0, limit)
  const views = await Promise.all(items.map((document) => view(document)))
  const last = found.length > limit ? items.at(-1) : undefined
  return {
    page: { items: views.map((document) => present(document, shape)), nextCursor: last ? cursorOf(model, String(last[by])) : null },
    etag: `${newest(found)}-${found.length}${notShownIn(views)}`,
    asOf,
  }
}

function newest(documents: readonly Document[]): number {
  return documents.reduce((highest, { position }) => Math.max(highest, Number(position)), 0)
}

function cursorOf(model: string, id: string): string {
  return Buffer.from(`${model}:${id}`).toString('base64url')
}

/** Only what `cursorOf` made for the same model is taken. */
function idFrom(model: string, cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString()
  const id = text.slice(model.length + 1)
  if (!text.startsWith(`${model}:`) || !/^[\w-]{1,64}$/.test(id) || cursorOf(model, id) !== cursor) throw invalidCursor()
  return id
}

/** Items in the page that was asked for. */
export const pageSize = ({ limit }: RouteRequest['query']) => Number(limit ?? DEFAULT_LIMIT)

export function invalidCursor(): Problem {
  return new Problem('invalid_cursor', 'take the cursor from nextCursor of this list', {
    errors: [{ parameter: 'cursor', code: 'invalid_cursor', detail: 'is not one of this list' }],
  })
}

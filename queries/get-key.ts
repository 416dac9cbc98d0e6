import type { Document } from '../domain/ports/documents.ts'
import { route } from '../http/route.ts'
import { present } from './present.ts'
import { awaitDocument, entityTag, hasStatus, preferenceApplied, type ReadModels } from './read-model.ts'
import { KEY, KEY_AT_REST } from './shapes.ts'

const hasRestingStatus = hasStatus(KEY_AT_REST)

export const getKey = (models: ReadModels) =>
  route({
    method: 'GET',
    path: '/v1/keys/:keyId',
    tag: 'keys',
    summary: 'A key, and how its generation, refresh or recovery stands',
    roles: ['client', 'auditor'],
    waits: true,
    answers: { 200: { description: 'The key', schema: KEY } },
    async handle(request) {
      const sought = { model: 'keys', id: request.params.keyId, parameter: 'keyId', isOver: isAtRest } as const
      const { document, asOf } = await awaitDocument(models, request, sought)
      return { status: 200, body: present(document, KEY), ...asOf, etag: entityTag(document), headers: preferenceApplied(request) }
    },
  })

/** Neither being generated nor refreshed, and none of its shares being recovered. */
function isAtRest(document: Document): boolean {
  const recovery = (document.recovery ?? null) as { status: string } | null
  return hasRestingStatus(document) && recovery?.status !== 'recovering'
}

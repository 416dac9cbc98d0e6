import { route } from '../http/route.ts'
import { present } from './present.ts'
import { awaitDocument, entityTag, preferenceApplied, type ReadModels } from './read-model.ts'
import { KEY, KEY_TERMINAL } from './shapes.ts'

export const getKey = (models: ReadModels) =>
  route({
    method: 'GET',
    path: '/v1/keys/:keyId',
    tag: 'keys',
    summary: 'A key, and how its generation stands',
    roles: ['client', 'auditor'],
    waits: true,
    answers: { 200: { description: 'The key', schema: KEY } },
    async handle(request) {
      const sought = { model: 'keys', id: request.params.keyId, parameter: 'keyId', terminal: KEY_TERMINAL } as const
      const { document, asOf } = await awaitDocument(models, request, sought)
      return { status: 200, body: present(document, KEY), ...asOf, etag: entityTag(document), headers: preferenceApplied(request) }
    },
  })

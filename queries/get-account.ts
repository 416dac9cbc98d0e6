import { route } from '../http/route.ts'
import { present } from './present.ts'
import { entityTag, type ReadModels, readDocument } from './read-model.ts'
import { ACCOUNT } from './shapes.ts'

export const getAccount = (models: ReadModels) =>
  route({
    method: 'GET',
    path: '/v1/accounts/:accountId',
    tag: 'accounts',
    summary: 'An account',
    roles: ['client', 'auditor'],
    answers: { 200: { description: 'The account', schema: ACCOUNT } },
    async handle(request) {
      const { document, asOf } = await readDocument(models, request, {
        model: 'accounts',
        id: request.params.accountId,
        parameter: 'accountId',
      })
      return { status: 200, body: present(document, ACCOUNT), ...asOf, etag: entityTag(document) }
    },
  })

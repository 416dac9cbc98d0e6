import { route } from '../http/route.ts'
import { PAGE_PARAMETERS, readPage } from './page.ts'
import { freshEnough, type ReadModels, readDocument } from './read-model.ts'
import { KEY, pageOf } from './shapes.ts'

export const listWalletKeys = (models: ReadModels) =>
  route({
    method: 'GET',
    path: '/v1/wallets/:walletId/keys',
    tag: 'keys',
    summary: 'The keys of a wallet',
    roles: ['client', 'auditor'],
    query: PAGE_PARAMETERS,
    answers: { 200: { description: 'The keys, in the order of their ids', schema: pageOf(KEY) } },
    async handle(request) {
      const { walletId } = request.params
      await readDocument(models, request, { model: 'wallets', id: walletId, parameter: 'walletId' })
      const position = await freshEnough(models.freshness.keys, request)
      const { page, etag } = await readPage(models.documents, request, {
        collection: 'keys',
        shape: KEY,
        where: { walletId },
        direction: 'asc',
      })
      return { status: 200, body: page, position, etag }
    },
  })

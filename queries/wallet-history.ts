import { route } from '../http/route.ts'
import { PAGE_PARAMETERS, readPage } from './page.ts'
import { freshEnough, type ReadModels, readDocument } from './read-model.ts'
import { HISTORY_ITEM, pageOf } from './shapes.ts'

export const walletHistory = (models: ReadModels) =>
  route({
    method: 'GET',
    path: '/v1/wallets/:walletId/history',
    tag: 'wallets',
    summary: 'What happened to a wallet, its keys and its signing sessions',
    roles: ['client', 'auditor'],
    query: PAGE_PARAMETERS,
    answers: { 200: { description: 'Events, the newest first', schema: pageOf(HISTORY_ITEM) } },
    async handle(request) {
      const { walletId } = request.params
      await readDocument(models, request, { model: 'wallets', id: walletId, parameter: 'walletId' })
      const position = await freshEnough(models.freshness.wallet_history, request)
      const { page, etag } = await readPage(models.documents, request, {
        collection: 'wallet_history',
        shape: HISTORY_ITEM,
        where: { walletId },
        direction: 'desc',
      })
      return { status: 200, body: page, position, etag }
    },
  })

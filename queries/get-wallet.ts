import { route } from '../http/route.ts'
import { AS_OF, momentIn, type PastOptions, walletAsOf } from './history/wallet-as-of.ts'
import { type OpenPersonal, walletInClear } from './personal-data.ts'
import { present } from './present.ts'
import { entityTag, type ReadModels, readDocument } from './read-model.ts'
import { WALLET } from './shapes.ts'

export const getWallet = (models: ReadModels, past: PastOptions, keys: OpenPersonal) =>
  route({
    method: 'GET',
    path: '/v1/wallets/:walletId',
    tag: 'wallets',
    summary: 'A wallet',
    roles: ['client', 'auditor'],
    query: AS_OF,
    answers: { 200: { description: 'The wallet', schema: WALLET } },
    async handle(request) {
      const moment = momentIn(request.query, 'asOf')
      if (moment) {
        const { document, position } = await walletAsOf(past, request, moment)
        return { status: 200, body: present(await walletInClear(keys, document), WALLET), position }
      }
      const { document: stored, asOf } = await readDocument(models, request, {
        model: 'wallets',
        id: request.params.walletId,
        parameter: 'walletId',
      })
      const document = await walletInClear(keys, stored)
      return { status: 200, body: present(document, WALLET), ...asOf, etag: entityTag(document) }
    },
  })

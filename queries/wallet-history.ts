import { route } from '../http/route.ts'
import { PAGE_PARAMETERS } from './page.ts'
import { type OpenPersonal, stepInClear } from './personal-data.ts'
import type { ReadModels } from './read-model.ts'
import { HISTORY_ITEM, pageOf } from './shapes.ts'
import { listOfWallet } from './wallet-list.ts'

export const walletHistory = (models: ReadModels, keys: OpenPersonal) =>
  route({
    method: 'GET',
    path: '/v1/wallets/:walletId/history',
    tag: 'wallets',
    summary: 'What happened to a wallet, its keys and its signing sessions',
    roles: ['client', 'auditor'],
    query: PAGE_PARAMETERS,
    answers: { 200: { description: 'Events, the newest first', schema: pageOf(HISTORY_ITEM) } },
    handle: (request) =>
      listOfWallet(models, request, {
        model: 'wallet_history',
        shape: HISTORY_ITEM,
        view: (step) => stepInClear(keys, step),
        direction: 'desc',
      }),
  })

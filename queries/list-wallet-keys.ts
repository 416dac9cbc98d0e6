import { route } from '../http/route.ts'
import { PAGE_PARAMETERS } from './page.ts'
import type { ReadModels } from './read-model.ts'
import { KEY, pageOf } from './shapes.ts'
import { listOfWallet } from './wallet-list.ts'

export const listWalletKeys = (models: ReadModels) =>
  route({
    method: 'GET',
    path: '/v1/wallets/:walletId/keys',
    tag: 'keys',
    summary: 'The keys of a wallet',
    roles: ['client', 'auditor'],
    query: PAGE_PARAMETERS,
    answers: { 200: { description: 'The keys, in the order of their ids', schema: pageOf(KEY) } },
    handle: (request) => listOfWallet(models, request, { model: 'keys', shape: KEY, direction: 'asc' }),
  })

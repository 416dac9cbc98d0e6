import { route } from '../http/route.ts'
import { PAGE_PARAMETERS } from './page.ts'
import type { ReadModels } from './read-model.ts'
import { ACCOUNT, pageOf } from './shapes.ts'
import { listOfWallet } from './wallet-list.ts'

export const listWalletAccounts = (models: ReadModels) =>
  route({
    method: 'GET',
    path: '/v1/wallets/:walletId/accounts',
    tag: 'accounts',
    summary: 'The accounts of a wallet',
    roles: ['client', 'auditor'],
    query: PAGE_PARAMETERS,
    answers: { 200: { description: 'The accounts, in the order of their ids', schema: pageOf(ACCOUNT) } },
    handle: (request) => listOfWallet(models, request, { model: 'accounts', shape: ACCOUNT, direction: 'asc' }),
  })

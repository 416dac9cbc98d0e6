import type { Document } from '../domain/ports/documents.ts'
import { ENDS, STAGES } from '../domain/wallet/transfers/transfer.ts'
import { route } from '../http/route.ts'
import { PAGE_PARAMETERS } from './page.ts'
import { type OpenPersonal, transferInClear } from './personal-data.ts'
import type { ReadModels } from './read-model.ts'
import { pageOf, TRANSFER } from './shapes.ts'
import { withSessions } from './transfer-view.ts'
import { listOfWallet } from './wallet-list.ts'

export const listWalletTransfers = (models: ReadModels, keys: OpenPersonal) =>
  route({
    method: 'GET',
    path: '/v1/wallets/:walletId/transfers',
    tag: 'transfers',
    summary: 'The transfers of a wallet',
    roles: ['client', 'approver', 'auditor'],
    query: { ...PAGE_PARAMETERS, status: { description: 'Only those in it.', schema: { type: 'string', enum: [...STAGES, ...ENDS] } } },
    answers: { 200: { description: 'Transfers, the newest first', schema: pageOf(TRANSFER) } },
    handle: (request) => {
      const { status } = request.query
      const view = async (document: Document) => withSessions(await transferInClear(keys, document))
      const list = { model: 'transfers', shape: TRANSFER, view, direction: 'desc', by: 'place' } as const
      return listOfWallet(models, request, status === undefined ? list : { ...list, where: { status } })
    },
  })

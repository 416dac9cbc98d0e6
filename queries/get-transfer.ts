import type { Document } from '../domain/ports/documents.ts'
import { ENDS } from '../domain/wallet/transfers/transfer.ts'
import { noSuch } from '../http/problem.ts'
import { type Answer, type RouteRequest, route } from '../http/route.ts'
import { type OpenPersonal, transferInClear } from './personal-data.ts'
import { present } from './present.ts'
import { awaitDocument, entityTag, hasStatus, preferenceApplied, type ReadModels } from './read-model.ts'
import { TRANSFER } from './shapes.ts'
import { withSessions } from './transfer-view.ts'

const QUERY = {
  until: {
    description:
      'What `Prefer: wait` waits for: that it is confirmed or has ended, or that it has ended, which may take as long as the chain takes.',
    schema: { type: 'string', enum: ['confirmed', 'ended'] },
  },
} as const
const ANSWERS = { 200: { description: 'The transfer', schema: TRANSFER } }

export const getTransfer = (models: ReadModels, keys: OpenPersonal) =>
  route({
    method: 'GET',
    path: '/v1/transfers/:transferId',
    tag: 'transfers',
    summary: 'A transfer, and where it is',
    roles: ['client', 'approver', 'auditor'],
    waits: true,
    query: QUERY,
    answers: ANSWERS,
    handle: (request) => transferIn(models, keys, request),
  })

/** The same under its wallet; that of another wallet does not exist there. */
export const getWalletTransfer = (models: ReadModels, keys: OpenPersonal) =>
  route({
    method: 'GET',
    path: '/v1/wallets/:walletId/transfers/:transferId',
    tag: 'transfers',
    summary: 'A transfer of a wallet, and where it is',
    roles: ['client', 'approver', 'auditor'],
    waits: true,
    query: QUERY,
    answers: ANSWERS,
    handle: (request) => transferIn(models, keys, request, request.params.walletId),
  })

async function transferIn(
  models: ReadModels,
  keys: OpenPersonal,
  request: RouteRequest<'/v1/transfers/:transferId', unknown>,
  walletId?: string,
): Promise<Answer> {
  const hasEnded = hasStatus(request.query.until === 'confirmed' ? ['confirmed', ...ENDS] : ENDS)
  const isElsewhere = (transfer: Document) => walletId !== undefined && transfer.walletId !== walletId
  const { document: stored, asOf } = await awaitDocument(models, request, {
    model: 'transfers',
    id: request.params.transferId,
    parameter: 'transferId',
    isOver: (transfer) => isElsewhere(transfer) || hasEnded(transfer),
  })
  if (isElsewhere(stored)) throw noSuch('transferId')
  const document = await transferInClear(keys, stored)
  return {
    status: 200,
    body: present(withSessions(document), TRANSFER),
    ...asOf,
    etag: entityTag(document),
    headers: preferenceApplied(request),
  }
}

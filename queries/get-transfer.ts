import { ENDS } from '../domain/wallet/transfers/transfer.ts'
import { route } from '../http/route.ts'
import { type OpenPersonal, transferInClear } from './personal-data.ts'
import { present } from './present.ts'
import { awaitDocument, entityTag, hasStatus, preferenceApplied, type ReadModels } from './read-model.ts'
import { TRANSFER } from './shapes.ts'
import { withSessions } from './transfer-view.ts'

export const getTransfer = (models: ReadModels, keys: OpenPersonal) =>
  route({
    method: 'GET',
    path: '/v1/transfers/:transferId',
    tag: 'transfers',
    summary: 'A transfer, and where it is',
    roles: ['client', 'approver', 'auditor'],
    waits: true,
    query: {
      until: {
        description:
          'What `Prefer: wait` waits for: that it is confirmed or has ended, or that it has ended, which may take as long as the chain takes.',
        schema: { type: 'string', enum: ['confirmed', 'ended'] },
      },
    },
    answers: { 200: { description: 'The transfer', schema: TRANSFER } },
    async handle(request) {
      const sought = {
        model: 'transfers',
        id: request.params.transferId,
        parameter: 'transferId',
        isOver: hasStatus(request.query.until === 'confirmed' ? ['confirmed', ...ENDS] : ENDS),
      } as const
      const { document: stored, asOf } = await awaitDocument(models, request, sought)
      const document = await transferInClear(keys, stored)
      return {
        status: 200,
        body: present(withSessions(document), TRANSFER),
        ...asOf,
        etag: entityTag(document),
        headers: preferenceApplied(request),
      }
    },
  })

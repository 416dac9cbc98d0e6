import type { Document } from '../domain/ports/documents.ts'
import { route } from '../http/route.ts'
import { AS_OF, momentIn, type PastOptions, walletAsOf } from './history/wallet-as-of.ts'
import { present } from './present.ts'
import { entityTag, type ReadModels, readDocument } from './read-model.ts'
import { POLICY } from './shapes.ts'

export const getPolicy = (models: ReadModels, past: PastOptions) =>
  route({
    method: 'GET',
    path: '/v1/wallets/:walletId/policy',
    tag: 'wallets',
    summary: 'What a wallet allows, and by whose keys',
    roles: ['client', 'auditor'],
    query: AS_OF,
    answers: { 200: { description: 'The policy', schema: POLICY } },
    async handle(request) {
      const moment = momentIn(request.query, 'asOf')
      if (moment) {
        const { state, document, position } = await walletAsOf(past, request, moment)
        return { status: 200, body: policyIn({ ...document, policyVersion: state.policyVersion }), position }
      }
      const { walletId } = request.params
      const { document, asOf } = await readDocument(models, request, { model: 'wallets', id: walletId, parameter: 'walletId' })
      return { status: 200, body: policyIn(document), ...asOf, etag: entityTag(document) }
    },
  })

const policyIn = (wallet: Document) => present({ ...wallet, version: wallet.policyVersion! }, POLICY)

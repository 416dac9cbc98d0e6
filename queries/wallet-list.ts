import type { Find } from '../domain/ports/documents.ts'
import type { Answer, RouteRequest } from '../http/route.ts'
import { type Listed, readPage } from './page.ts'
import { olderOf, type ReadModels, readDocument } from './read-model.ts'

/**
 * One page of what a read model lists for a wallet that the caller may see.
 * @throws Problem `read_model_behind`, `invalid_cursor`, or that there is no such wallet; Unavailable
 */
export async function listOfWallet(
  models: ReadModels,
  request: RouteRequest<'/v1/wallets/:walletId', unknown>,
  { where = {}, ...list }: Listed & Partial<Pick<Find, 'where'>>,
): Promise<Answer> {
  const { walletId } = request.params
  const wallet = await readDocument(models, request, { model: 'wallets', id: walletId, parameter: 'walletId' })
  const { page, etag, asOf } = await readPage(models, request, { ...list, where: { walletId, ...where } })
  return { status: 200, body: page, etag, ...olderOf(wallet.asOf, asOf) }
}

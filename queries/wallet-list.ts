import type { Find } from '../domain/ports/documents.ts'
import type { Answer, RouteRequest } from '../http/route.ts'
import { readPage } from './page.ts'
import type { Shape } from './present.ts'
import { olderOf, type ReadModelName, type ReadModels, readDocument } from './read-model.ts'

/**
 * One page of what a read model lists for a wallet that the caller may see.
 * @throws Problem `read_model_behind`, `invalid_cursor`, or that there is no such wallet; Unavailable
 */
export async function listOfWallet(
  models: ReadModels,
  request: RouteRequest<'/v1/wallets/:walletId', unknown>,
  { model, shape, direction }: { model: ReadModelName; shape: Shape } & Pick<Find, 'direction'>,
): Promise<Answer> {
  const { walletId } = request.params
  const wallet = await readDocument(models, request, { model: 'wallets', id: walletId, parameter: 'walletId' })
  const { page, etag, asOf } = await readPage(models, request, { model, shape, where: { walletId }, direction })
  return { status: 200, body: page, etag, ...olderOf(wallet.asOf, asOf) }
}

import { sumOf } from '../domain/account/summed-amounts.ts'
import type { Document } from '../domain/ports/documents.ts'
import { route } from '../http/route.ts'
import { PAGE_PARAMETERS } from './page.ts'
import type { ReadModels } from './read-model.ts'
import { BALANCE, pageOf } from './shapes.ts'
import { listOfWallet } from './wallet-list.ts'

export const listWalletBalances = (models: ReadModels) =>
  route({
    method: 'GET',
    path: '/v1/wallets/:walletId/balances',
    tag: 'accounts',
    summary: "What a wallet's accounts hold, by account and asset",
    roles: ['client', 'auditor'],
    query: PAGE_PARAMETERS,
    answers: { 200: { description: 'Balances', schema: pageOf(BALANCE) } },
    handle: (request) => listOfWallet(models, request, { model: 'balances', shape: BALANCE, view: withFigures, direction: 'asc' }),
  })

type Groups = { readonly [index: string]: number } | undefined

/** The figures as amounts, and the chain that the asset is of. */
function withFigures(document: Document): Document {
  const { asset, available, reserved, pending } = document
  const figure = (groups: unknown) => String(sumOf(groups as Groups))
  return {
    ...document,
    chain: String(asset).split('/')[0]!,
    available: figure(available),
    reserved: figure(reserved),
    pending: figure(pending),
  }
}

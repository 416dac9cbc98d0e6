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
  const figure = (name: string) => sumOf(document[name] as Groups)
  const settled = figure('settled')
  const reserved = figure('reserved')
  const available = settled - reserved
  return {
    ...document,
    chain: String(document.asset).split('/')[0]!,
    available: String(available > 0n ? available : 0n),
    reserved: String(reserved),
    pending: String(figure('pending')),
    owed: available < 0n ? String(-available) : null,
  }
}

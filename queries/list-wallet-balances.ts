import { sumOf } from '../domain/account/summed-amounts.ts'
import type { Document } from '../domain/ports/documents.ts'
import type { ExistingWallet } from '../domain/wallet/wallet.ts'
import { route } from '../http/route.ts'
import { AS_OF, momentIn, type PastOptions, walletAsOf } from './history/wallet-as-of.ts'
import { PAGE_PARAMETERS } from './page.ts'
import { present } from './present.ts'
import type { ReadModels } from './read-model.ts'
import { BALANCE, pageOf } from './shapes.ts'
import { listOfWallet } from './wallet-list.ts'

const BALANCES = {
  ...pageOf(BALANCE),
  title: 'Balances',
  properties: { ...(pageOf(BALANCE).properties as object), position: { type: ['string', 'null'] } },
}

export const listWalletBalances = (models: ReadModels, past: PastOptions) =>
  route({
    method: 'GET',
    path: '/v1/wallets/:walletId/balances',
    tag: 'accounts',
    summary: "What a wallet's accounts hold, by account and asset",
    roles: ['client', 'auditor'],
    query: { ...PAGE_PARAMETERS, ...AS_OF },
    answers: { 200: { description: 'Balances, and the position up to which every event is in them', schema: BALANCES } },
    async handle(request) {
      const moment = momentIn(request.query, 'asOf')
      if (!moment) {
        const list = { model: 'balances', shape: BALANCE, view: withFigures, direction: 'asc' } as const
        const answer = await listOfWallet(models, request, list)
        return { ...answer, body: { ...answer.body, position: answer.position === undefined ? null : String(answer.position) } }
      }
      const { state, document, position } = await walletAsOf(past, request, moment)
      // All at once: a wallet holds no more accounts than its state does.
      return { status: 200, body: { items: balancesIn(state, document), nextCursor: null, position: String(position) }, position }
    },
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
    chain: chainOf(String(document.asset)),
    available: String(available > 0n ? available : 0n),
    reserved: String(reserved),
    pending: String(figure('pending')),
    owed: available < 0n ? String(-available) : null,
  }
}

/** Those that a wallet had at a moment, as they are shown. */
function balancesIn({ funds, walletId }: ExistingWallet, { updatedAt, position }: Document): object[] {
  return Object.entries(funds).flatMap(([accountId, ofAssets]) =>
    Object.entries(ofAssets).map(([asset, { settled, reserved, pending }]) => {
      const available = BigInt(settled) - BigInt(reserved)
      return present(
        {
          ...{ _id: `${accountId}/${asset}`, accountId, walletId, asset, chain: chainOf(asset), reserved, pending, updatedAt, position },
          available: String(available > 0n ? available : 0n),
          owed: available < 0n ? String(-available) : null,
        } as unknown as Document,
        BALANCE,
      )
    }),
  )
}

const chainOf = (asset: string) => asset.split('/')[0]!

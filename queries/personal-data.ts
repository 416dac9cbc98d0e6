/** What is about people is sealed in the documents too: it is opened when it is shown, each time. */
import { type NotShown, openOrSayWhyNot } from '../domain/personal-data/personal-fields.ts'
import type { DataKeys } from '../domain/ports/data-keys.ts'
import type { Document } from '../domain/ports/documents.ts'
import type { Json, JsonObject } from '../domain/ports/event-log.ts'

export type OpenPersonal = Pick<DataKeys, 'open'>

/** Under its field of the document, the name of the field that it was sealed as. */
type SealedAs = { readonly [field: string]: string }

/** The document with these fields in the clear. What is erased, or cannot be read, is null, and the document says so. @throws Unavailable */
export async function inClear(keys: OpenPersonal, document: Document, sealedAs: SealedAs): Promise<Document> {
  const { opened, notShown } = await openFields(keys, String(document.walletId), document, sealedAs)
  return { ...document, ...opened, ...notShown }
}

/** Names of wallets. */
export const walletInClear = (keys: OpenPersonal, wallet: Document): Promise<Document> => inClear(keys, wallet, { name: 'name' })

/** Memos of transfers, and the requests that approvers are shown, without the intent that was sent with them. */
export async function transferInClear(keys: OpenPersonal, transfer: Document): Promise<Document> {
  const opened = await inClear(keys, transfer, { memo: 'memo', request: 'authorisation' })
  const request = opened.request as JsonObject | null | undefined
  if (!request) return opened
  const { method, path, body } = request
  return { ...opened, request: { method: method!, path: path!, body: body! } }
}

/** What a step in the history of a wallet says. */
export async function stepInClear(keys: OpenPersonal, step: Document): Promise<Document> {
  const data = step.data as JsonObject
  const { opened, notShown } = await openFields(keys, String(step.walletId), data, { name: 'name', reason: 'reason' })
  return { ...step, data: { ...data, ...opened }, ...notShown }
}

async function openFields(
  keys: OpenPersonal,
  walletId: string,
  values: { readonly [field: string]: Json },
  sealedAs: SealedAs,
): Promise<{ opened: JsonObject; notShown: NotShown }> {
  const opened: JsonObject = {}
  let notShown: NotShown = {}
  for (const [field, name] of Object.entries(sealedAs)) {
    const value = values[field]
    if (value === undefined) continue
    const found = await openOrSayWhyNot<Json>(keys, walletId, name, value)
    if ('shown' in found) opened[field] = found.shown
    else {
      opened[field] = null
      notShown = { ...notShown, ...found }
    }
  }
  return { opened, notShown }
}

/** What is about people is sealed in the documents too: it is opened when it is shown, each time. */
import { openPersonal } from '../domain/personal-data/personal-fields.ts'
import type { DataKeys } from '../domain/ports/data-keys.ts'
import type { Document } from '../domain/ports/documents.ts'
import type { Json, JsonObject } from '../domain/ports/event-log.ts'

export type OpenPersonal = Pick<DataKeys, 'open'>

/** Under its field of the document, the name of the field that it was sealed as. */
type SealedAs = { readonly [field: string]: string }

/** The document with these fields in the clear. What is erased is null, and the document says `erased`. @throws UnsealFailed, Unavailable */
export async function inClear(keys: OpenPersonal, document: Document, sealedAs: SealedAs): Promise<Document> {
  const { opened, erased } = await openFields(keys, String(document.walletId), document, sealedAs)
  return { ...document, ...opened, ...(erased && { erased }) }
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
  const { opened, erased } = await openFields(keys, String(step.walletId), data, { name: 'name', reason: 'reason' })
  return { ...step, data: { ...data, ...opened }, ...(erased && { erased }) }
}

async function openFields(
  keys: OpenPersonal,
  walletId: string,
  values: { readonly [field: string]: Json },
  sealedAs: SealedAs,
): Promise<{ opened: JsonObject; erased: boolean }> {
  const opened: JsonObject = {}
  let erased = false
  for (const [field, name] of Object.entries(sealedAs)) {
    const value = values[field]
    if (value === undefined) continue
    const text = await openPersonal<Json>(keys, walletId, name, value)
    erased ||= text === undefined
    opened[field] = text ?? null
  }
  return { opened, erased }
}

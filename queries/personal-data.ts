/** What is about people is sealed in the documents too: it is opened when it is shown, each time. */
import { openPersonal } from '../domain/personal-data/personal-fields.ts'
import type { Personal } from '../domain/personal-data/sealed.ts'
import type { DataKeys } from '../domain/ports/data-keys.ts'
import type { Document } from '../domain/ports/documents.ts'
import type { Json, JsonObject } from '../domain/ports/event-log.ts'
import { UnsealFailed } from '../domain/ports/vault.ts'

export type OpenPersonal = Pick<DataKeys, 'open'>

/** Under its field of the document, the name of the field that it was sealed as. */
type SealedAs = { readonly [field: string]: string }

/** Why something that is about people is not shown: its key was erased, or is damaged. */
export type NotShown = { readonly erased?: true; readonly unreadable?: true }

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
    const found = await openOrSayWhyNot(keys, walletId, name, value)
    if ('shown' in found) opened[field] = found.shown
    else {
      opened[field] = null
      notShown = { ...notShown, ...found }
    }
  }
  return { opened, notShown }
}

/** A damaged key hides what was sealed under it, and nothing beside. @throws Unavailable */
export async function openOrSayWhyNot<Value extends Json>(
  keys: OpenPersonal,
  walletId: string,
  field: string,
  value: Personal<Value>,
): Promise<{ readonly shown: Value } | NotShown> {
  try {
    const shown = await openPersonal<Value>(keys, walletId, field, value)
    return shown === undefined ? { erased: true } : { shown }
  } catch (error) {
    if (error instanceof UnsealFailed) return { unreadable: true }
    throw error
  }
}

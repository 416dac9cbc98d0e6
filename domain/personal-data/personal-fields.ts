import { CATALOGUE } from '../event-catalogue.ts'
import type { DataKeys } from '../ports/data-keys.ts'
import { UnsealFailed } from '../ports/vault.ts'
import { isSealed, type Personal } from './sealed.ts'

/** Names of the fields of an event that are about people, by its type and the streams it is written to. */
const FIELDS = CATALOGUE.map(({ streams, schemas }) => {
  const types = Object.entries(schemas).map(([type, { shape }]) => [type, personalIn(shape.fields ?? {})] as const)
  return { streams, byType: new Map(types) }
})

function personalIn(fields: { readonly [field: string]: { readonly isPersonal?: true } }): readonly string[] {
  return Object.keys(fields).filter((field) => fields[field]?.isPersonal)
}

/** The fields that are stored sealed of events of this type. */
export function personalFields(stream: string, type: string): readonly string[] {
  return FIELDS.find(({ streams }) => stream.startsWith(streams))?.byType.get(type) ?? []
}

/** The event as it is stored: what is about people is sealed, unless it comes from an event where it is sealed already. @throws Unavailable */
export async function sealPersonal<Event extends { type: string; data: object }>(
  keys: Pick<DataKeys, 'seal'>,
  stream: string,
  event: Event,
): Promise<Event> {
  const data = event.data as { readonly [field: string]: unknown } & { readonly walletId: string }
  const open = personalFields(stream, event.type).filter((field) => data[field] !== null && !isSealed(data[field]))
  if (open.length === 0) return event
  const sealed = await Promise.all(
    open.map(async (field) => [field, await keys.seal(data.walletId, field, JSON.stringify(data[field]))] as const),
  )
  return { ...event, data: { ...data, ...Object.fromEntries(sealed) } }
}

/**
 * A field in the clear; undefined when it has been erased.
 * @throws UnsealFailed when it was altered, or is of another wallet or field; Unavailable
 */
export async function openPersonal<T>(
  keys: Pick<DataKeys, 'open'>,
  walletId: string,
  field: string,
  value: Personal<T>,
): Promise<T | undefined> {
  if (!isSealed(value)) return value as T
  const text = await keys.open(walletId, field, value)
  return text === undefined ? undefined : (JSON.parse(text) as T)
}

/** Why something that is about people is not shown: its key was erased, or is damaged. */
export type NotShown = { readonly erased?: true; readonly unreadable?: true }

/** A damaged key hides what was sealed under it, and nothing beside. @throws Unavailable */
export async function openOrSayWhyNot<T>(
  keys: Pick<DataKeys, 'open'>,
  walletId: string,
  field: string,
  value: Personal<T>,
): Promise<{ readonly shown: T } | NotShown> {
  try {
    const shown = await openPersonal<T>(keys, walletId, field, value)
    return shown === undefined ? { erased: true } : { shown }
  } catch (error) {
    if (error instanceof UnsealFailed) return { unreadable: true }
    throw error
  }
}

import { EventUnreadable, type RecordedEvent } from '../ports/event-log.ts'
import { fields, type Shape, text } from './shape.ts'

/** Makes the data of a version out of those of the one before. */
export type Upcast = (data: object) => object

/**
 * A type of event through its versions, which begin at 1: `steps[v - 1]` leads from version v to v + 1, and the last one to the data that the
 * code knows, which have this shape.
 */
export type EventSchema = { shape: Shape; steps?: readonly Upcast[] }

/** A schema for each type of event. */
export type EventSchemas<Event extends { type: string } = { type: string }> = { readonly [Type in Event['type']]: EventSchema }

const METADATA = fields({ commandId: text, correlationId: text, causationId: text, actor: text, tenant: text, occurredAt: text })

/** The version that events of a type are written in. */
export const currentVersion = ({ steps }: EventSchema): number => (steps?.length ?? 0) + 1

/** The event in its type's current version. @throws EventUnreadable */
export function upcast(schemas: EventSchemas, event: RecordedEvent): RecordedEvent {
  const schema = Object.hasOwn(schemas, event.type) ? schemas[event.type] : undefined
  if (!schema) throw new EventUnreadable(event, 'its type is unknown')
  if (!METADATA(event.metadata)) throw new EventUnreadable(event, 'its metadata are incomplete')
  const { schemaVersion } = event.metadata
  const current = currentVersion(schema)
  if (!Number.isInteger(schemaVersion) || schemaVersion < 1 || schemaVersion > current)
    throw new EventUnreadable(event, `versions 1 to ${current} are known`)
  const data = raised(schema, event)
  if (!schema.shape(data)) throw new EventUnreadable(event, 'its data are not what its type says')
  return schemaVersion === current ? event : { ...event, data, metadata: { ...event.metadata, schemaVersion: current } }
}

function raised({ steps }: EventSchema, event: RecordedEvent): object {
  if (!steps || event.metadata.schemaVersion > steps.length) return event.data
  try {
    return steps.slice(event.metadata.schemaVersion - 1).reduce((data, step) => step(data), event.data)
  } catch {
    throw new EventUnreadable(event, 'its data are not what its version says')
  }
}

import test from 'ava'
import { EventUnreadable, type RecordedEvent } from '../ports/event-log.ts'
import { currentVersion, type EventSchemas, upcast } from './event-schema.ts'
import { fields, listOf, text, whole } from './shape.ts'

/** A door that was first opened by one person, then by several, and now for a number of minutes. */
const schemas = {
  DoorOpened: {
    shape: fields({ by: listOf(text), minutes: whole }),
    steps: [
      ({ person, ...rest }: { person: string }) => ({ ...rest, by: [person.trim()] }),
      (data: object) => ({ ...data, minutes: 5 }),
    ] as ((data: object) => object)[],
  },
} satisfies EventSchemas

const stored = (schemaVersion: unknown, data: unknown, changes: object = {}) =>
  ({
    id: '5f0e8f0e-3c4f-4d4e-8a55-1d3a4f5b6c7d',
    type: 'DoorOpened',
    stream: 'door-1',
    revision: 7n,
    position: 99n,
    recordedAt: '2026-01-01T00:00:00.000Z',
    data,
    metadata: {
      commandId: 'a',
      correlationId: 'b',
      causationId: 'c',
      actor: 'me',
      tenant: 'acme',
      occurredAt: '2026-01-01T00:00:00.000Z',
      schemaVersion,
    },
    ...changes,
  }) as RecordedEvent

test('an event of every version becomes one of the current version, step by step', (t) => {
  t.is(currentVersion(schemas.DoorOpened), 3)
  for (const [version, data] of [
    [1, { person: ' ann ' }],
    [2, { by: ['ann'] }],
    [3, { by: ['ann'], minutes: 5 }],
  ] as const) {
    const { data: current, metadata, revision } = upcast(schemas, stored(version, data))
    t.deepEqual([current, metadata.schemaVersion, revision], [{ by: ['ann'], minutes: 5 }, 3, 7n])
  }
})

test('an event of the current version is handed on as it is, and one that was raised is not raised again', (t) => {
  const current = stored(3, { by: ['ann'], minutes: 9, more: true })
  t.is(upcast(schemas, current), current)
  const raised = upcast(schemas, stored(1, { person: 'ann' }))
  t.is(upcast(schemas, raised), raised)
})

for (const [what, event, reason] of [
  ['a newer version', stored(4, { by: ['ann'], minutes: 5 }), /versions 1 to 3/],
  ['no version', stored(undefined, { by: ['ann'], minutes: 5 }), /versions 1 to 3/],
  ['version 0', stored(0, { person: 'ann' }), /versions 1 to 3/],
  ['version 1.5', stored(1.5, { person: 'ann' }), /versions 1 to 3/],
  ['a version in words', stored('3', { by: ['ann'], minutes: 5 }), /versions 1 to 3/],
  ['a missing field', stored(3, { by: ['ann'] }), /data are not what its type says/],
  ['a field of another kind', stored(3, { by: 'ann', minutes: 5 }), /data are not what its type says/],
  ['a number too large to be exact', stored(3, { by: [], minutes: 2 ** 60 }), /data are not what its type says/],
  ['no data', stored(3, null), /data are not what its type says/],
  ['data that are not JSON', stored(3, 'Ω'), /data are not what its type says/],
  ['an old version that a step fails on', stored(1, {}), /data are not what its version says/],
  ['an unknown type', stored(1, {}, { type: 'DoorPainted' }), /type is unknown/],
  ['a type named like a method of objects', stored(1, {}, { type: 'toString' }), /type is unknown/],
  ['no metadata', stored(3, { by: [], minutes: 1 }, { metadata: undefined }), /metadata are incomplete/],
  ['incomplete metadata', stored(3, { by: [], minutes: 1 }, { metadata: { schemaVersion: 3 } }), /metadata are incomplete/],
] as const) {
  test(`an event with ${what} is unreadable, and the error says which it is`, (t) => {
    const error = t.throws(() => upcast(schemas, event), { instanceOf: EventUnreadable, code: 'event_unreadable', message: reason })
    t.like(error, { stream: 'door-1', revision: 7n, type: event.type })
    t.regex(error?.message ?? '', /event 7 of door-1/)
  })
}

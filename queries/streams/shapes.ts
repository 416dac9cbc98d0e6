import type { JsonSchema } from '../../http/route.ts'

const text = { type: 'string' } as const

export const STREAMED_EVENT: JsonSchema = {
  title: 'StreamedEvent',
  description: 'CloudEvents 1.0. As server-sent events it is the data, and the cursor the id.',
  type: 'object',
  required: ['specversion', 'id', 'source', 'type', 'subject', 'time', 'tenant', 'position', 'cursor'],
  properties: {
    specversion: { type: 'string', const: '1.0' },
    id: { type: 'string', format: 'uuid' },
    source: { type: 'string', format: 'uri-reference' },
    type: { ...text, description: 'Of the event.' },
    subject: { ...text, description: 'The stream of the log that it is in.' },
    time: { type: 'string', format: 'date-time' },
    datacontenttype: text,
    data: { type: 'object', description: 'What the event says, in brief; absent when this version cannot read it.' },
    tenant: text,
    position: { type: 'string', pattern: '^\\d+$', description: 'In the log.' },
    cursor: { ...text, description: 'Where to go on after this event.' },
  },
}

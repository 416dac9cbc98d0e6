import { canonicalEvent } from '../audit/canonical-event.ts'
import type { RecordedEvent } from '../ports/event-log.ts'

/** What a digest is made with, such as `createHash` of `node:crypto`. */
export type Hashing = { update(text: string): unknown; digest(encoding: 'hex'): string }

/**
 * A digest over events that anybody can recompute, whatever log or archive they come from: SHA-256 over their canonical JSON, each with a newline after it.
 */
export function digestOf(hash: Hashing): { add(event: RecordedEvent): void; events(): number; hex(): string } {
  let events = 0
  return {
    add(event) {
      hash.update(`${canonicalEvent(event)}\n`)
      events++
    },
    events: () => events,
    hex: () => hash.digest('hex'),
  }
}

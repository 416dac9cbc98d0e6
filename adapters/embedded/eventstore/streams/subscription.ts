import type { RecordedEvent } from '../log/event.ts'
import type { EventFilter } from './filter.ts'
import type { Source } from './source.ts'

export type SubscriptionStep =
  | { kind: 'event'; event: RecordedEvent }
  /** Everything up to here was considered. */
  | { kind: 'checkpoint'; position: number }
  | { kind: 'caught_up' }
  /** There may be more at once; other work should have its turn first. */
  | { kind: 'turn' }
  /** Nothing more until a commit brings something. */
  | { kind: 'wait' }

/**
 * The steps of a subscription without end: old events, caught up, new events. They are read from the log at the pace at which they are
 * taken, so a slow subscriber costs no memory. With a `checkpointInterval` there is a checkpoint after every so many events, matching or not.
 */
export function* subscriptionSteps(
  source: Source,
  {
    filter,
    fromEnd,
    checkpointInterval = Number.POSITIVE_INFINITY,
  }: { filter: EventFilter; fromEnd: boolean; checkpointInterval?: number },
): Generator<SubscriptionStep, never> {
  let considered = 0
  let caughtUp = false
  for (;;) {
    const { events, more } = source.take(Number.POSITIVE_INFINITY)
    for (const event of events) {
      if (filter(event)) yield { kind: 'event', event }
      considered += 1
      if (considered === checkpointInterval) {
        considered = 0
        yield { kind: 'checkpoint', position: event.position }
      }
    }
    if (more) {
      yield { kind: 'turn' }
      continue
    }
    if (!caughtUp && (fromEnd || source.exists())) {
      caughtUp = true
      yield { kind: 'caught_up' }
    }
    yield { kind: 'wait' }
  }
}

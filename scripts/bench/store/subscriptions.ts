import { residentMiB } from '../resources.ts'
import { freshIds, freshStream } from './appends.ts'
import type { Source } from './client.ts'
import { once, type Row, type Run, repeatedly, type Target } from './row.ts'

/** As many as a busy system has open. */
const MANY = 200

/** Catching up, and what subscriptions that are open cost. */
export const SUBSCRIPTIONS: readonly Row[] = [
  { name: 'subscribeStreamCatchUp', unit: 'events/s', run: (target) => catchUp(target, { stream: target.stream }, target.events) },
  { name: 'subscribeAllCatchUp', unit: 'events/s', run: (target) => catchUp(target, {}, target.events) },
  { name: 'subscribeAllFilteredCatchUp', unit: 'events/s', run: filteredCatchUp },
  { name: 'appendToSubscriber', unit: 'appends/s', run: (target, milliseconds) => toSubscribers(target, 1, milliseconds) },
  { name: 'appendTo200Subscribers', unit: 'appends/s', run: (target, milliseconds) => toSubscribers(target, MANY, milliseconds) },
  {
    name: 'append64InFlightWith200StreamSubscriptions',
    unit: 'appends/s',
    run: (target, milliseconds) => besideSubscriptions(target, () => ({ stream: freshStream() }), milliseconds),
  },
  {
    name: 'append64InFlightWith200FilteredSubscriptions',
    unit: 'appends/s',
    run: (target, milliseconds) => besideSubscriptions(target, () => ({ prefix: freshStream() }), milliseconds),
  },
]

function catchUp({ client }: Target, source: Source, events: number): Promise<Run> {
  return once(async () => {
    await client.catchUp(source, events)
    return events
  })
}

/** Subscriptions begin after the position they are given, so the first event is left out. */
async function filteredCatchUp(target: Target): Promise<Run> {
  const after = await target.client.firstPosition(target.stream)
  return catchUp(target, { prefix: target.stream, after }, target.events - 1)
}

/** From the start of an append until each of the subscribers to its stream has the event; one append at a time. */
async function toSubscribers(target: Target, subscribers: number, milliseconds: number): Promise<Run> {
  const stream = freshStream()
  let awaited = { id: '', missing: 0, arrived: () => {} }
  const onEvent = (id: string) => {
    if (id === awaited.id && --awaited.missing === 0) awaited.arrived()
  }
  return withSubscriptions(target, Array(subscribers).fill({ stream }), onEvent, () =>
    repeatedly({ milliseconds }, async () => {
      const [id] = freshIds(1) as [string]
      const everywhere = new Promise<void>((arrived) => {
        awaited = { id, missing: subscribers, arrived }
      })
      await target.client.append(stream, [id])
      await everywhere
    }),
  )
}

/** Appends that none of the open subscriptions asks for, but that the server has to consider for each. */
function besideSubscriptions(target: Target, source: () => Source, milliseconds: number): Promise<Run> {
  const append = () => target.client.append(freshStream(), freshIds(1))
  return withSubscriptions(
    target,
    Array.from({ length: MANY }, source),
    () => {},
    () => repeatedly({ lanes: 64, milliseconds }, append),
  )
}

async function withSubscriptions(
  { client, pid }: Target,
  sources: readonly Source[],
  onEvent: (id: string) => void,
  work: () => Promise<Run>,
): Promise<Run> {
  const opened = await Promise.allSettled(sources.map((source) => client.subscribe(source, onEvent)))
  try {
    for (const each of opened) if (each.status === 'rejected') throw each.reason
    const run = await work()
    return { ...run, rssMiB: pid === undefined ? undefined : residentMiB(pid) }
  } finally {
    await Promise.all(opened.map((each) => (each.status === 'fulfilled' ? each.value() : undefined)))
  }
}

import type { Promised } from '../figures.ts'
import { freshIds, freshStream } from './appends.ts'
import { once, type Row, repeatedly, type Target } from './row.ts'

const PROMISED: Promised = { atLeast: 20_000 }
const FILL_BATCH = 500

/** Reads of everything that there is to read, and of single events. */
export const READS: readonly Row[] = [
  { name: 'readStreamForwards', unit: 'events/s', promise: PROMISED, run: forTheFirstTime },
  { name: 'readStreamForwardsAgain', unit: 'events/s', promise: PROMISED, run: (target) => once(() => readStream(target, 'forwards')) },
  {
    name: 'readStreamForwardsUndecoded',
    unit: 'events/s',
    promise: PROMISED,
    run: ({ client, stream, events }) => once(() => client.readUndecoded(stream, events)),
  },
  { name: 'readStreamBackwards', unit: 'events/s', promise: PROMISED, run: (target) => once(() => readStream(target, 'backwards')) },
  { name: 'readAllForwards', unit: 'events/s', promise: PROMISED, run: (target) => once(() => readAll(target, 'forwards')) },
  { name: 'readAllBackwards', unit: 'events/s', promise: PROMISED, run: (target) => once(() => readAll(target, 'backwards')) },
  { name: 'readOneEventSequential', unit: 'reads/s', run: singleEvents },
]

/** Gives the target a new stream to read. */
export async function fillStream(target: Target): Promise<void> {
  target.stream = freshStream()
  for (let left = target.events; left > 0; left -= FILL_BATCH) {
    await target.client.append(target.stream, freshIds(Math.min(left, FILL_BATCH)))
  }
}

async function forTheFirstTime(target: Target) {
  await fillStream(target)
  return once(() => readStream(target, 'forwards'))
}

const readStream = ({ client, stream, events }: Target, direction: 'forwards' | 'backwards') =>
  expecting(events, client.read({ stream }, { direction, limit: events }))

const readAll = ({ client, events }: Target, direction: 'forwards' | 'backwards') =>
  expecting(events, client.read({}, { direction, limit: events }))

function singleEvents({ client, stream, events }: Target, milliseconds: number) {
  const anyRevision = () => BigInt(Math.floor(Math.random() * events))
  return repeatedly({ milliseconds }, () => expecting(1, client.read({ stream }, { direction: 'forwards', from: anyRevision(), limit: 1 })))
}

/** A server that answers with less is not a fast one. @throws Error */
async function expecting(events: number, read: Promise<number>): Promise<number> {
  const seen = await read
  if (seen !== events) throw new Error(`${seen} of ${events} events were read`)
  return seen
}

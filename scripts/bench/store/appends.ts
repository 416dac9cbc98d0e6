import { randomUUID } from 'node:crypto'
import type { Promised } from '../figures.ts'
import { type Row, repeatedly } from './row.ts'

export const freshStream = () => `bench-${randomUUID()}`
export const freshIds = (count: number) => Array.from({ length: count }, () => randomUUID())

const ONE_BY_ONE: Promised = { atLeast: 2_500 }
const IN_FLIGHT: Promised = { atLeast: 7_000 }
const BATCHES: Promised = { atLeast: 30_000 }

/** Appends, each answered when the server says that it has them. */
export const APPENDS: readonly Row[] = [
  { name: 'appendSequential', unit: 'appends/s', promise: ONE_BY_ONE, run: oneByOne('batch') },
  { name: 'appendSequentialClassicCall', unit: 'appends/s', run: oneByOne('classic') },
  { name: 'append64InFlightOneStream', unit: 'appends/s', promise: IN_FLIGHT, run: toOneStream(64) },
  { name: 'append64InFlightManyStreams', unit: 'appends/s', promise: IN_FLIGHT, run: toManyStreams(64) },
  { name: 'append256InFlightOneStream', unit: 'appends/s', run: toOneStream(256) },
  { name: 'append256InFlightManyStreams', unit: 'appends/s', run: toManyStreams(256) },
  { name: 'appendBatchesOf100', unit: 'events/s', run: inBatches(100, 1) },
  { name: 'appendBatchesOf100With8InFlight', unit: 'events/s', run: inBatches(100, 8) },
  { name: 'appendBatchesOf200', unit: 'events/s', promise: BATCHES, run: inBatches(200, 1) },
  { name: 'appendBatchesOf200With8InFlight', unit: 'events/s', promise: BATCHES, run: inBatches(200, 8) },
]

function oneByOne(call: 'batch' | 'classic'): Row['run'] {
  return ({ client }, milliseconds) => {
    const stream = freshStream()
    return repeatedly({ milliseconds }, () => client.append(stream, freshIds(1), call))
  }
}

function toOneStream(lanes: number): Row['run'] {
  return ({ client }, milliseconds) => {
    const stream = freshStream()
    return repeatedly({ lanes, milliseconds }, () => client.append(stream, freshIds(1)))
  }
}

function toManyStreams(lanes: number): Row['run'] {
  return ({ client }, milliseconds) => repeatedly({ lanes, milliseconds }, () => client.append(freshStream(), freshIds(1)))
}

function inBatches(size: number, lanes: number): Row['run'] {
  return ({ client }, milliseconds) => {
    const stream = freshStream()
    return repeatedly({ lanes, weight: size, milliseconds }, () => client.append(stream, freshIds(size)))
  }
}

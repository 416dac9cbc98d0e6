import { Counter, Gauge, type Registry } from 'prom-client'
import type { Streams } from './streams.ts'

/** Registers who reads streams, and what is held in memory for them. */
export function observeStreams(registry: Registry, streams: Pick<Streams, 'open' | 'cut' | 'broadcast'>): void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value())
      },
    })
  gauge('quorate_stream_readers', 'Readers of streams at work.', () => streams.open.size)
  gauge('quorate_stream_buffered_bytes', 'Bytes that wait for readers of streams.', () =>
    [...streams.open].reduce((sum, reader) => sum + reader.buffered(), 0),
  )
  gauge('quorate_stream_ring_entries', 'Events held for readers of streams.', () => streams.broadcast.held().entries)
  new Counter({
    name: 'quorate_stream_readers_cut_total',
    help: 'Readers of streams that were cut off since they took nothing.',
    registers: [registry],
    collect() {
      this.reset()
      this.inc(streams.cut())
    },
  })
}

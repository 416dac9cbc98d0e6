import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that a system gives to whoever asks for any free one (RFC 6335 names 49152 and up, Linux takes 32768 and up). */
const PORTS = { first: 20_000, count: 12_000 }

/** Each process begins elsewhere, and never names one twice. */
let next = process.pid * 16

/**
 * A free port of 127.0.0.1 for a server that is to come back on the same one: while it is away, no connection and no other server is given it.
 * One that was given by asking for port 0 may belong to somebody else by then.
 */
export async function portToKeep(): Promise<number> {
  for (;;) {
    const port = PORTS.first + (next++ % PORTS.count)
    const probe = createServer().listen(port, '127.0.0.1')
    const isFree = await once(probe, 'listening').then(
      () => true,
      (error) => {
        if (error.code === 'EADDRINUSE') return false
        throw error
      },
    )
    if (!isFree) continue
    probe.close()
    await once(probe, 'close')
    return port
  }
}

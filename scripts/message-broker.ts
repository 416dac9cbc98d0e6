import { startEmbeddedNats } from '../adapters/embedded/nats/server.ts'
import { startNatsServer } from '../adapters/nats/nats-server.ts'
import { runProcess } from '../adapters/process/lifecycle.ts'

/** The broker of a system on one machine: `nats-server` when it is on the PATH, else the embedded one. */
await runProcess('message-broker', async () => {
  const port = Number(process.env.QUORATE_EMBEDDED_PORT ?? 0)
  const real = await startNatsServer({ port })
  if (real) {
    // Without its server this process is of no use: end, and be started again.
    void real.exited.then(() => process.exit(1))
    return { details: { url: real.url, port: real.port, server: 'nats-server' }, close: real.close }
  }
  const embedded = await startEmbeddedNats({ port, log: (line) => console.error(line) })
  return { details: { url: embedded.url, port: embedded.port }, close: embedded.close }
})

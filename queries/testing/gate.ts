/** A way to a server that can be shut and opened again, while the server behind it keeps what it has. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type Gate = {
  port: number
  /** Cuts every connection, and all that are tried until it is opened again. */
  shut(): void
  /** Connections stay, and new ones are taken, but nothing passes any more. */
  stall(): void
  open(): void
  /** From now on to another server. */
  leadTo(target: number): void
  close(): Promise<void>
}

export async function startGate(firstTarget: number): Promise<Gate> {
  let target = firstTarget
  const sockets = new Set<Socket>()
  let state: 'open' | 'shut' | 'stalled' = 'open'
  const cutAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  const listener = createServer((client) => {
    if (state === 'shut') {
      client.destroy()
      return
    }
    const server = connect(target, '127.0.0.1')
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes) => {
        if (state === 'open') to.write(bytes)
      })
      // a reset is one way to be closed, and 'close' follows
      from.on('error', () => undefined)
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    shut() {
      state = 'shut'
      cutAll()
    },
    stall() {
      state = 'stalled'
    },
    open() {
      // What was swallowed is missing from the connections of before.
      if (state === 'stalled') cutAll()
      state = 'open'
    },
    leadTo(next) {
      target = next
      cutAll()
    },
    async close() {
      const closed = once(listener, 'close')
      listener.close()
      cutAll()
      await closed
    },
  }
}

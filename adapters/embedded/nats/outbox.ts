import type { Socket } from 'node:net'

export type Outbox = {
  send(parts: readonly Buffer[]): void
  /** Sends what is waiting and closes our half of the socket. */
  end(): void
}

/**
 * Gathers what is sent within one turn of the event loop into one write.
 * `onOverflow` is called once, when more than `maxPending` bytes wait for a peer that does not read; nothing is kept after that.
 */
export function createOutbox(socket: Socket, maxPending: number, onOverflow: () => void): Outbox {
  let gathered: Buffer[] = []
  let bytes = 0
  let open = true

  function flush(): void {
    if (bytes === 0) return
    // A copy: the parts may be views of much larger chunks, which must not be kept while the peer is slow.
    const all = Buffer.concat(gathered, bytes)
    gathered = []
    bytes = 0
    socket.write(all)
  }

  return {
    send(parts) {
      if (!open) return
      if (bytes === 0) setImmediate(flush)
      for (const part of parts) {
        gathered.push(part)
        bytes += part.length
      }
      if (bytes + socket.writableLength > maxPending) {
        open = false
        gathered = []
        bytes = 0
        onOverflow()
      }
    },
    end() {
      if (!open) return
      open = false
      flush()
      socket.end()
    },
  }
}

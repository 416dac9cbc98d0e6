import type { Socket } from 'node:net'
import type { Backlog, Debtor } from './backlog.ts'

export type Outbox = {
  send(parts: readonly Buffer[]): void
  /** Sends what is waiting and closes our half of the socket. */
  end(): void
}

/**
 * Gathers what is sent within one turn of the event loop into one write. `onOverflow` is called when the peer reads too slowly for the
 * backlog that it shares with others; nothing is sent after that.
 */
export function createOutbox(socket: Socket, backlog: Backlog, onOverflow: () => void): Outbox {
  let gathered: Buffer[] = []
  let bytes = 0
  let open = true
  const debtor: Debtor = {
    pending: () => bytes + socket.writableLength,
    cutOff() {
      open = false
      gathered = []
      bytes = 0
      backlog.leave(debtor)
      onOverflow()
    },
  }
  backlog.join(debtor)
  socket.once('close', () => backlog.leave(debtor))

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
      backlog.grew(debtor)
    },
    end() {
      if (!open) return
      open = false
      flush()
      socket.end()
    },
  }
}

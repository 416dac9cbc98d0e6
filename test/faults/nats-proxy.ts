/** A bad network between a NATS client and its broker: it knows where one message ends, so that it can repeat messages and not only bytes. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What happens to each message on its way, in either direction. TCP repeats what is lost, so that a loss shows as a stall of all that follows. */
export type Weather = {
  /** Each takes from `delayMs` to `delayMs + jitterMs`. */
  delayMs: number
  jitterMs: number
  /** How many are lost at first, from 0 to 1, and how long it takes until they are sent again. */
  lossRate: number
  stallMs: number
  /** How many arrive twice, from 0 to 1. */
  duplicateRate: number
}

export const CALM: Weather = { delayMs: 0, jitterMs: 0, lossRate: 0, stallMs: 0, duplicateRate: 0 }

export type NatsProxy = {
  readonly url: string
  weather: Weather
  /** Ends all connections, and accepts none until mended. */
  cut(): void
  mend(): void
  /** How many messages were repeated and held up, and how many connections were cut, so that a run can show that it was not a calm one. */
  readonly counts: { repeated: number; stalled: number; cut: number }
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1. `random` gives numbers from 0 to 1. */
export async function startNatsProxy(brokerUrl: string, random: () => number = Math.random): Promise<NatsProxy> {
  const { hostname, port } = new URL(brokerUrl)
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((client) => {
    if (isCut) return void client.destroy()
    const broker = connect(Number(port), hostname)
    for (const [from, to] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(from)
      from.setNoDelay(true)
      from
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(from)
          to.destroy()
        })
      carry(from, to)
    }
  })
  const proxy: NatsProxy = {
    url: '',
    weather: CALM,
    counts: { repeated: 0, stalled: 0, cut: 0 },
    cut() {
      isCut = true
      proxy.counts.cut += sockets.size > 0 ? 1 : 0
      for (const socket of sockets) socket.destroy()
    },
    mend() {
      isCut = false
    },
    async close() {
      proxy.cut()
      server.close()
      await once(server, 'close')
    },
  }

  function carry(from: Socket, to: Socket): void {
    const take = protocolMessages()
    let lastDue = 0
    from.on('data', (chunk) => {
      for (const { bytes, isMessage } of take(chunk)) {
        const { delayMs, jitterMs, lossRate, stallMs, duplicateRate } = proxy.weather
        const isLost = random() < lossRate
        const isRepeated = isMessage && random() < duplicateRate
        if (isLost) proxy.counts.stalled++
        if (isRepeated) proxy.counts.repeated++
        const due = Math.max(lastDue, performance.now() + delayMs + random() * jitterMs + (isLost ? stallMs : 0))
        lastDue = due
        const send = () => {
          for (const copy of isRepeated ? [bytes, bytes] : [bytes]) if (to.writable) to.write(copy)
        }
        const wait = due - performance.now()
        if (wait <= 0) send()
        else setTimeout(send, wait)
      }
    })
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(proxy, { url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

const CRLF = Buffer.from('\r\n')

/** Takes a stream of the NATS protocol apart. Messages are `PUB`, `HPUB`, `MSG` and `HMSG`, whose line ends with the length of what follows it. */
function protocolMessages(): (chunk: Buffer) => { bytes: Buffer; isMessage: boolean }[] {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    const found: { bytes: Buffer; isMessage: boolean }[] = []
    for (;;) {
      const end = rest.indexOf(CRLF)
      if (end < 0) return found
      const line = rest.subarray(0, end).toString('latin1')
      const isMessage = /^H?(PUB|MSG) /i.test(line)
      const length = end + CRLF.length + (isMessage ? Number(line.split(/\s+/).at(-1)) + CRLF.length : 0)
      if (rest.length < length) return found
      found.push({ bytes: rest.subarray(0, length), isMessage })
      rest = rest.subarray(length)
    }
  }
}

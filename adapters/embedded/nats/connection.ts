import type { Socket } from 'node:net'
import type { Backlog } from './backlog.ts'
import { createOutbox } from './outbox.ts'
import { createParser, type Limits, type Operation, type Publication } from './parser.ts'
import type { Peer, Router, Subscription } from './router.ts'
import { isLiteral, isSubscribable } from './subject.ts'

/** How long a connection that is being closed may take to fetch what was sent to it. */
const GOODBYE_MS = 1_000
const MAX_PINGS_OUT = 2

const OK = Buffer.from('+OK\r\n')
const PING = Buffer.from('PING\r\n')
const PONG = Buffer.from('PONG\r\n')
const CRLF = Buffer.from('\r\n')
const NO_RESPONDERS = Buffer.from('NATS/1.0 503\r\n\r\n')

export type ConnectionOptions = {
  /** JSON of the greeting. */
  info: string
  limits: Limits
  router: Router
  backlog: Backlog
  log: (line: string) => void
}

export type Connection = {
  /** Asks the client for a sign of life; cuts it off when it has left the last two without. */
  ping(): void
  /** Sends what is waiting, then ends. */
  close(): void
}

/** Serves one client on a socket until either side ends it. */
export function serveConnection(socket: Socket, { info, limits, router, backlog, log }: ConnectionOptions): Connection {
  const parse = createParser(limits)
  const subscriptions = new Map<string, Subscription>()
  // The defaults of the protocol, for a client that sends no CONNECT.
  let client = { verbose: true, pedantic: true, echo: true, headers: false, noResponders: false }
  let pingsOut = 0
  let open = true

  const outbox = createOutbox(socket, backlog, () => {
    log('slow consumer: cut off')
    leave()
    socket.destroy()
  })

  const peer: Peer = {
    echo: () => client.echo,
    deliver(sid, message) {
      if (open) outbox.send(encodeMessage(sid, message, client.headers))
      return open
    },
    forget: (sid) => subscriptions.delete(sid),
  }

  function leave(): void {
    open = false
    for (const subscription of subscriptions.values()) router.unsubscribe(subscription)
    subscriptions.clear()
  }

  function close(): void {
    if (!open) return
    leave()
    outbox.end()
    // Half closed and still read, so that the last words are not lost to a reset; but not for ever.
    const deadline = setTimeout(() => socket.destroy(), GOODBYE_MS)
    socket.once('close', () => clearTimeout(deadline))
  }

  function complain(reason: string): void {
    outbox.send([Buffer.from(`-ERR '${reason}'\r\n`)])
  }

  function fail(reason: string): void {
    log(`closed: ${reason}`)
    complain(reason)
    close()
  }

  function acknowledge(): void {
    if (client.verbose) outbox.send([OK])
  }

  function connect(options: string): void {
    const asked = parseObject(options)
    if (!asked) {
      fail('Unknown Protocol Operation')
      return
    }
    const flag = (name: string, otherwise: boolean) => (typeof asked[name] === 'boolean' ? asked[name] : otherwise)
    client = {
      verbose: flag('verbose', client.verbose),
      pedantic: flag('pedantic', client.pedantic),
      echo: flag('echo', client.echo),
      headers: flag('headers', false),
      noResponders: flag('no_responders', false),
    }
    if (client.noResponders && !client.headers) fail('no responders requires headers support')
    else acknowledge()
  }

  function publish(message: Publication): void {
    if (message.headerBytes !== undefined && !client.headers) {
      fail('message headers not supported')
      return
    }
    const publishable = !client.pedantic || isLiteral(message.subject)
    if (!publishable) complain('Invalid Publish Subject')
    acknowledge()
    if (!publishable || router.publish(peer, message) > 0) return
    const waiting = client.noResponders && message.reply !== undefined ? router.heardBy(peer, message.reply) : undefined
    if (waiting) peer.deliver(waiting.sid, nobodyAnswers(message.reply!))
  }

  function subscribe({ subject, queue, sid }: { subject: string; queue: string | undefined; sid: string }): void {
    const subscription: Subscription = { peer, subject, queue, sid, delivered: 0, max: undefined }
    if (!isSubscribable(subject)) complain('Invalid Subject')
    else if (subscriptions.has(sid)) acknowledge()
    else if (!router.subscribe(subscription)) complain('maximum subscriptions exceeded')
    else {
      subscriptions.set(sid, subscription)
      acknowledge()
    }
  }

  function unsubscribe({ sid, max }: { sid: string; max: number | undefined }): void {
    const subscription = subscriptions.get(sid)
    if (subscription && max !== undefined && max > subscription.delivered) subscription.max = max
    else if (subscription) {
      subscriptions.delete(sid)
      router.unsubscribe(subscription)
    }
    acknowledge()
  }

  function perform(operation: Operation): void {
    if (operation.kind === 'publish') publish(operation)
    else if (operation.kind === 'subscribe') subscribe(operation)
    else if (operation.kind === 'unsubscribe') unsubscribe(operation)
    else if (operation.kind === 'ping') outbox.send([PONG])
    else if (operation.kind === 'connect') connect(operation.options)
    else if (operation.kind === 'violation') fail(operation.reason)
  }

  socket.on('data', (chunk: Buffer) => {
    pingsOut = 0
    if (!open) return
    for (const operation of parse(chunk)) if (open) perform(operation)
  })
  socket.on('error', (error) => log(`lost: ${error.message}`))
  socket.on('close', leave)
  outbox.send([Buffer.from(`INFO ${info}\r\n`)])

  return {
    ping() {
      if (!open) return
      if (pingsOut >= MAX_PINGS_OUT) fail('Stale Connection')
      else outbox.send([PING])
      pingsOut++
    },
    close,
  }
}

const nobodyAnswers = (subject: string): Publication => ({
  subject,
  reply: undefined,
  headerBytes: NO_RESPONDERS.length,
  payload: NO_RESPONDERS,
})

function encodeMessage(sid: string, { subject, reply, headerBytes, payload }: Publication, headers: boolean): Buffer[] {
  const to = reply === undefined ? `${subject} ${sid}` : `${subject} ${sid} ${reply}`
  if (headerBytes !== undefined && headers) return [Buffer.from(`HMSG ${to} ${headerBytes} ${payload.length}\r\n`, 'latin1'), payload, CRLF]
  const body = payload.subarray(headerBytes ?? 0)
  return [Buffer.from(`MSG ${to} ${body.length}\r\n`, 'latin1'), body, CRLF]
}

function parseObject(text: string): { [name: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

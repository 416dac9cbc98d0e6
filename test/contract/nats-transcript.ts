import { once } from 'node:events'
import { connect } from 'node:net'

/** What a server answered to bytes sent as they are, without its greeting, and whether it then hung up. */
export type Transcript = { answer: string; closed: boolean }

const TIMEOUT_MS = 10_000

/** Sends protocol text over a bare socket and listens until the server hangs up or answers the PING at the end of the text. */
export async function converse(url: string, text: string): Promise<Transcript> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const timer = setTimeout(() => socket.destroy(new Error(`no answer to ${text.slice(0, 60)}`)), TIMEOUT_MS)
  let heard = ''
  const answered = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      // The server may ask whether we are there at any moment; no scenario sends that word as a payload.
      heard = (heard + chunk.toString('latin1')).replace('PING\r\n', '')
      if (heard.endsWith('PONG\r\n')) resolve()
    })
  })
  const closed = once(socket, 'close')
  socket.write(text, 'latin1')
  await Promise.race([closed, ...(/PING\r?\n$/i.test(text) ? [answered] : [])])
  clearTimeout(timer)
  const hungUp = socket.closed
  socket.destroy()
  return { answer: heard.replace(/^INFO [^\r]*\r\n/, ''), closed: hungUp }
}

/** A reader of a stream as lines of JSON. */
import { get, type IncomingMessage } from 'node:http'
import type { ExecutionContext } from 'ava'
import type { Role } from '../../../http/route.ts'
import type { RunningApp } from '../../../http/testing/running-app.ts'

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects to find in a line
export type Line = any

export type StreamReader = {
  /** Events so far, heartbeats left out. */
  events: Line[]
  /** Resolves once the lines so far satisfy it. */
  until(holds: (events: readonly Line[]) => boolean): Promise<void>
  /** Resolves when the connection is over: whether the answer was complete. */
  ended: Promise<boolean>
  cursor(): string | undefined
  /** Reads no more, and keeps the connection. */
  stop(): void
  cut(): void
}

export async function openReader(
  t: ExecutionContext,
  app: RunningApp,
  path: string,
  { tenant = 'acme', roles = ['data'] }: { tenant?: string; roles?: readonly Role[] } = {},
): Promise<StreamReader> {
  const headers = { authorization: `Bearer ${await app.token({ tenant, roles })}`, accept: 'application/x-ndjson' }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(app.url + path, { headers, agent: false }, resolve).on('error', reject)
  })
  t.teardown(() => response.destroy())
  t.is(response.statusCode, 200)
  const events: Line[] = []
  let cursor: string | undefined
  let rest = ''
  let look = () => {}
  response.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines.map((each) => JSON.parse(each))) {
      cursor = line.cursor ?? cursor
      if (!line.heartbeat) events.push(line)
    }
    look()
  })
  // to be cut off is one way to end, and 'close' follows
  response.on('error', () => undefined)
  return {
    events,
    until: (holds) =>
      new Promise((resolve) => {
        look = () => {
          if (holds(events)) resolve()
        }
        look()
      }),
    ended: new Promise((resolve) => response.once('close', () => resolve(response.complete))),
    cursor: () => cursor,
    stop: () => void response.pause(),
    cut: () => void response.destroy(),
  }
}

import { once } from 'node:events'
import type { Socket } from 'node:net'
import test from 'ava'
import { connect } from 'nats'
import { dial, QUIET, readToEnd, start } from './testing/raw-client.ts'

/** What comes up to the answer to a PING. */
async function readUntilPong(socket: Socket): Promise<string> {
  let text = ''
  for (;;) {
    const [chunk] = await once(socket, 'data')
    text += chunk.toString('latin1')
    if (text.endsWith('PONG\r\n')) return text
  }
}

test('a hundred thousand subscriptions fit, no more, and there is room again when their client has left', async (t) => {
  const { port } = await start(t)
  const greedy = await dial(t, port)
  greedy.write(`${QUIET}${Array.from({ length: 100_001 }, (_, i) => `SUB a.${i}.* ${i}\r\n`).join('')}PING\r\n`)
  t.regex(await readUntilPong(greedy), /^INFO [^\r]*\r\n-ERR 'maximum subscriptions exceeded'\r\nPONG\r\n$/)
  greedy.destroy()
  const next = await dial(t, port)
  let answer = ''
  for (let sid = 0; sid < 100 && !answer.endsWith('MSG b 1\r\n\r\nPONG\r\n'); sid++) {
    next.write(`${QUIET}SUB b ${sid}\r\nPUB b 0\r\n\r\nPING\r\n`)
    answer = (await readUntilPong(next)).replace(/MSG b \d+ 0/, 'MSG b 1')
  }
  t.regex(answer, /MSG b 1\r\n\r\nPONG\r\n$/)
})

test('subscriptions are bounded by what they take of memory, not by their number alone', async (t) => {
  const { port } = await start(t)
  const greedy = await dial(t, port)
  const deep = Array.from({ length: 63 }, () => 'x'.repeat(40)).join('.')
  greedy.write(`${QUIET}${Array.from({ length: 8_000 }, (_, i) => `SUB ${i}.${deep} ${i}\r\n`).join('')}PING\r\n`)
  const refused = (await readUntilPong(greedy)).split('maximum subscriptions exceeded').length - 1
  t.true(refused > 1_000 && refused < 7_000, `${refused} of 8,000 were refused`)
})

test('more connections than the server takes are told so, and there is room again when some leave', async (t) => {
  const { url, port } = await start(t)
  const sockets: Socket[] = []
  while (sockets.length < 512) sockets.push(...(await Promise.all(Array.from({ length: 32 }, () => dial(t, port)))))
  sockets.at(-1)!.write('PING\r\n')
  t.regex(await readUntilPong(sockets.at(-1)!), /PONG/)
  t.is(await readToEnd(await dial(t, port)), "-ERR 'maximum connections exceeded'\r\n")
  for (const socket of sockets) socket.destroy()
  const client = await connect({ servers: url, waitOnFirstConnect: true, maxReconnectAttempts: 50, reconnectTimeWait: 50 })
  await client.close()
})

import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

/** A line that a person types, or that is piped in; undefined at the end of the input. What is typed to a secret question is not shown. */
export async function ask(question: string, { secret = false } = {}): Promise<string | undefined> {
  process.stderr.write(question)
  const output = secret ? new Writable({ write: (_chunk, _encoding, done) => done() }) : process.stderr
  const lines = createInterface({ input: process.stdin, output, terminal: process.stdin.isTTY === true })
  try {
    const line = once(lines, 'line').then(([text]) => text as string)
    return await Promise.race([line, once(lines, 'close').then(() => undefined)])
  } finally {
    lines.close()
    if (secret) process.stderr.write('\n')
  }
}

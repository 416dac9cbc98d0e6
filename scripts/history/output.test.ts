import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Writable } from 'node:stream'
import test from 'ava'
import { OutputClosed, openOutput } from './output.ts'

test('a reader that has had enough ends the writing', async (t) => {
  const reader = spawn('true', { stdio: ['pipe', 'ignore', 'ignore'] })
  await once(reader, 'exit')
  const write = openOutput(reader.stdin)
  const writing = async () => {
    for (;;) await write('x'.repeat(100_000))
  }
  await t.throwsAsync(writing(), { instanceOf: OutputClosed })
})

test('a slow reader is waited for, and another failure is one', async (t) => {
  const taken: (() => void)[] = []
  const slow = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => void taken.push(done) })
  const write = openOutput(slow)
  let isWritten = false
  const writing = write('abc').then(() => {
    isWritten = true
  })
  await new Promise(setImmediate)
  t.false(isWritten)
  taken.shift()!()
  await writing
  const failing = openOutput(slow)
  slow.destroy(new Error('the disk is full'))
  await new Promise(setImmediate)
  await t.throwsAsync(failing('x'), { message: 'the disk is full' })
})

import test from 'ava'
import { commandsFromText, commandsToText, type DoneCommand, isSameRequest, noteCommand } from './recent-commands.ts'

const START = Date.parse('2026-01-01T00:00:00.000Z')
const digest = 'ab'.repeat(32)

function after(count: number, everyMs: number): Map<string, DoneCommand> {
  const commands = new Map<string, DoneCommand>()
  for (let i = 0; i < count; i++)
    noteCommand(commands, {
      position: BigInt(i),
      revision: BigInt(i),
      recordedAt: new Date(START + i * everyMs).toISOString(),
      metadata: { commandId: `command-${i}`, requestDigest: digest },
    })
  return commands
}

test('the newest 4096 commands are remembered, and the one that created the aggregate', (t) => {
  const commands = after(5_000, 1)
  t.is(commands.size, 4_096)
  t.deepEqual([...commands.keys()].slice(0, 2), ['command-0', 'command-905'])
})

test('commands are forgotten after a day, but not the one that created the aggregate', (t) => {
  t.deepEqual([...after(100, 60 * 60 * 1000).keys()], ['command-0', ...Array.from({ length: 25 }, (_, i) => `command-${75 + i}`)])
})

test('a command of several events ends with the last', (t) => {
  const commands = after(3, 1)
  noteCommand(commands, {
    position: 9n,
    revision: 4n,
    recordedAt: new Date(START).toISOString(),
    metadata: { commandId: 'command-1' } as never,
  })
  t.like(commands.get('command-1'), { position: 9n, revision: 4n })
})

test('a request is told from another, and from none', (t) => {
  const done = after(1, 1).get('command-0')!
  t.true(isSameRequest(done, digest))
  t.false(isSameRequest(done, 'cd'.repeat(32)))
  t.false(isSameRequest(done, undefined))
})

test('commands survive being written as text', (t) => {
  const commands = after(3, 1)
  noteCommand(commands, {
    position: 3n,
    revision: 3n,
    recordedAt: new Date(START).toISOString(),
    metadata: { commandId: 'no-digest' } as never,
  })
  t.deepEqual(commandsFromText(commandsToText(commands)), commands)
  t.is(commandsFromText(commandsToText(new Map())).size, 0)
  t.throws(() => commandsFromText('x not-a-number 1  0'))
  t.throws(() => commandsFromText('x 1 1 '))
})

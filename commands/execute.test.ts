import { randomUUID } from 'node:crypto'
import test from 'ava'
import { startEmbeddedEventStore } from '../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../adapters/eventstore/event-log.ts'
import type { Decider } from '../domain/decider.ts'
import { DomainError } from '../domain/domain-error.ts'
import type { EventLog } from '../domain/ports/event-log.ts'
import { absent, type CommandContext, execute } from './execute.ts'

type Count = { type: 'Counted'; data: { by: number } }

/** Counts up to ten. */
const counter: Decider<number, number, Count> = {
  initial: 0,
  decide(total, by) {
    if (total + by > 10) throw new DomainError('session_terminal', 'ten is enough')
    return [{ type: 'Counted', data: { by } }]
  },
  evolve: (total, { data }) => total + data.by,
}

let log: EventLog
let close: () => Promise<void>
test.before(async () => {
  const server = await startEmbeddedEventStore({ port: 0 })
  log = connectEventLog({ url: server.url })
  close = async () => {
    await log.close()
    await server.close()
  }
})
test.after.always(() => close())

const command = (requestDigest?: string): CommandContext => ({
  commandId: randomUUID(),
  correlationId: 'c',
  causationId: 'c',
  actor: 'test',
  tenant: 'test',
  requestDigest,
})
const newCounter = () => ({ decider: counter, stream: `counter-${randomUUID()}` })

test.serial('a command on a state that is no longer true is decided on the true one', async (t) => {
  const aggregate = newCounter()
  const first = await execute(log, aggregate, () => 4, command(), absent(counter))
  const second = await execute(log, aggregate, () => 3, command(), absent(counter))
  t.is(second.state, 7)
  t.is((await execute(log, aggregate, () => 2, command(), first)).state, 9)
  await t.throwsAsync(
    execute(log, aggregate, () => 5, command(), second),
    { name: 'DomainError' },
  )
})

test.serial('a refusal is taken back when the state was not the true one', async (t) => {
  const aggregate = newCounter()
  await execute(log, aggregate, () => 1, command())
  const wrong = { state: 10, revision: 5n, position: undefined }
  t.is((await execute(log, aggregate, () => 1, command(), wrong)).state, 2)
})

test.serial('a command that creates changes nothing when it comes again, also when it could not be prepared any more', async (t) => {
  const aggregate = newCounter()
  const context = command('digest')
  const { position } = await execute(log, aggregate, () => 4, context, absent(counter))
  await execute(log, aggregate, () => 1, command())
  t.is((await execute(log, aggregate, () => 4, context, absent(counter))).position, position)
  const refuse = () => {
    throw new DomainError('wallet_frozen', 'the wallet is frozen')
  }
  t.like(await execute(log, aggregate, refuse, context, absent(counter)), { state: 5, position })
})

test.serial('a command id that comes again with another request is refused', async (t) => {
  const aggregate = newCounter()
  const context = command('one request')
  await execute(log, aggregate, () => 4, context, absent(counter))
  await t.throwsAsync(
    execute(log, aggregate, () => 4, { ...context, requestDigest: 'another' }, absent(counter)),
    { code: 'idempotency_key_reused' },
  )
})

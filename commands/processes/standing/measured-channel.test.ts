import test from 'ava'
import type { CeremonyReply, CeremonyRequest, Header } from '../../../domain/ceremony/messages.ts'
import { Unavailable } from '../../../domain/ports/event-log.ts'
import { NoResponders, RequestTimeout } from '../../../domain/ports/messages.ts'
import { InvalidReply, type PartyChannel } from '../../../domain/ports/party-channel.ts'
import { measuredChannel } from './measured-channel.ts'

const HEADER: Omit<Header, 'from'> = { scheme: 'frost-ed25519', kind: 'signing', ceremonyId: 's', attempt: 1, round: 1, to: 'a' }
const REQUEST: CeremonyRequest = { type: 'proceed', heard: { statements: [], secrets: [] } }

/** A channel whose answers come when the test says. */
function measured({ timeoutMs = 700 } = {}) {
  const said: string[] = []
  const clock = { now: 0 }
  const asked: { answer(reply: CeremonyReply): void; fail(error: unknown): void; timeoutMs: number }[] = []
  const channel: PartyChannel = {
    reachable: async () => {},
    ask: (_, __, options) =>
      new Promise((answer, fail) => {
        asked.push({ answer, fail, timeoutMs: options.timeoutMs })
      }),
  }
  const standing = {
    timeoutMs: () => timeoutMs,
    answered: (id: string, ms: number) => void said.push(`${id} answered in ${ms}`),
    failed: (id: string, kind: string) => void said.push(`${id} ${kind}`),
  }
  const { ask } = measuredChannel(channel, standing, () => clock.now)
  return { ask: (options: { timeoutMs: number; signal?: AbortSignal }) => ask(HEADER, REQUEST, options), asked, said, clock }
}

const refusal = (code: string) => ({ type: 'refused', code, reason: '', culprits: [] }) as CeremonyReply

test('a party is waited for as long as its standing says, and no longer than whoever asks would', (t) => {
  const { ask, asked } = measured()
  void ask({ timeoutMs: 5_000 })
  void ask({ timeoutMs: 100 })
  t.deepEqual(
    asked.map(({ timeoutMs }) => timeoutMs),
    [700, 100],
  )
})

test('what has come of a request is told: answers with their time, absences, refusals for reasons of its own', async (t) => {
  const outcomes: [CeremonyReply | Error, string[]][] = [
    [{ type: 'destroyed' }, ['a answered in 30']],
    [refusal('busy'), ['a refused']],
    [refusal('vault_unavailable'), ['a refused']],
    // Whoever makes bad requests must not have the parties shunned that refuse them, nor may one party have another one shunned.
    [refusal('conflicting_request'), ['a answered in 30']],
    [refusal('malformed'), ['a answered in 30']],
    [refusal('protocol_abort'), ['a answered in 30']],
    [new NoResponders('x'), ['a absent']],
    [new RequestTimeout('x', 30), ['a absent']],
    [new InvalidReply('x'), ['a refused']],
    [new Unavailable('quorate.party.a.ceremony'), ['a refused']],
    [new Unavailable('nats'), []],
  ]
  for (const [outcome, expected] of outcomes) {
    const { ask, asked, said, clock } = measured()
    const asking = ask({ timeoutMs: 1_000 })
    clock.now += 30
    if (outcome instanceof Error) {
      asked[0]!.fail(outcome)
      await t.throwsAsync(asking, { is: outcome })
    } else {
      asked[0]!.answer(outcome)
      t.is(await asking, outcome)
    }
    t.deepEqual(said, expected)
  }
})

test('what nobody waits for any more is measured all the same', async (t) => {
  const { ask, asked, said, clock } = measured()
  const over = new AbortController()
  const asking = ask({ timeoutMs: 1_000, signal: over.signal })
  over.abort(new Error('enough have answered'))
  await t.throwsAsync(asking, { message: 'enough have answered' })
  clock.now += 400
  asked[0]!.answer({ type: 'destroyed' })
  await Promise.resolve()
  t.deepEqual(said, ['a answered in 400'])
})

test('requests that were under way together are absent together, later ones by themselves', async (t) => {
  const { ask, asked, said, clock } = measured()
  const together = [ask({ timeoutMs: 1_000 }), ask({ timeoutMs: 1_000 }), ask({ timeoutMs: 1_000 })]
  for (const asking of together) asking.catch(() => {})
  clock.now += 700
  for (const { fail } of asked) fail(new RequestTimeout('x', 700))
  await Promise.allSettled(together)
  t.deepEqual(said, ['a absent'])
  const later = ask({ timeoutMs: 1_000 })
  clock.now += 700
  asked[3]!.fail(new RequestTimeout('x', 700))
  await t.throwsAsync(later)
  t.deepEqual(said, ['a absent', 'a absent'])
})

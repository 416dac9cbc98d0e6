import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { Unavailable } from '../domain/ports/event-log.ts'
import { circuitBreaker } from './circuit-breaker.ts'

test('what is away is asked nothing until a probe succeeds', async (t) => {
  let away = true
  let asked = 0
  let probes = 0
  const ask = async () => {
    asked += 1
    if (away) throw new Unavailable('database')
    return 'answer'
  }
  const probe = async () => {
    probes += 1
    if (away) throw new Unavailable('database')
  }
  const breaker = circuitBreaker({ dependency: 'database', probe, probeEveryMs: 20 })
  t.teardown(breaker.close)
  for (let n = 0; n < 10; n++) await t.throwsAsync(breaker.run(ask), { instanceOf: Unavailable })
  t.is(asked, 1)
  while (probes < 3) await delay(5)
  t.is(asked, 1)
  away = false
  while ((await breaker.run(ask).catch(() => undefined)) !== 'answer') await delay(5)
  const before = probes
  await delay(60)
  t.is(probes, before)
})

test('what does not answer in time counts as away', async (t) => {
  const never = () => new Promise<never>(() => undefined)
  const breaker = circuitBreaker({ dependency: 'database', probe: never, timeoutMs: 30 })
  t.teardown(breaker.close)
  await t.throwsAsync(breaker.run(never), { instanceOf: Unavailable })
  await t.throwsAsync(
    breaker.run(() => Promise.resolve('answer')),
    { instanceOf: Unavailable },
  )
})

test('errors that are answers leave it closed', async (t) => {
  const breaker = circuitBreaker({ dependency: 'database', probe: () => Promise.reject(new Error('not to be asked')) })
  t.teardown(breaker.close)
  await t.throwsAsync(
    breaker.run(() => Promise.reject(new RangeError('refused'))),
    { instanceOf: RangeError },
  )
  t.is(await breaker.run(() => Promise.resolve('answer')), 'answer')
})

import test from 'ava'
import { load } from '../../commands/load.ts'
import { KEY_SHARE_STREAMS, keyShareStream } from '../../domain/key-share/events.ts'
import { keyShare, requireActiveKey } from '../../domain/key-share/key-share.ts'
import { FROST_SCHEMES } from '../../domain/threshold/testing/ciphersuites.ts'
import { everyQuorumSigns } from './key-checks.ts'
import { type KeyEvent, startTestSystem, type TestSystem } from './system.ts'

const PARTIES = 5
/** `npm run test:scale` asks for a hundred. */
const KEYS = Number(process.env.QUORATE_SCALE_KEYS ?? 25)
const WITHIN_MS = 10 * 60_000

test(`${KEYS} keys asked for at once all come about at the first attempt`, async (t) => {
  t.timeout(WITHIN_MS)
  const system = await startTestSystem({ parties: PARTIES })
  t.teardown(system.close)
  const walletId = await system.createWallet()
  const ids = system.parties.map(({ id }) => id)
  const holdersOf = (index: number) => [0, 1, 2].map((offset) => ids[(index + offset) % PARTIES]!)

  const began = performance.now()
  const keyIds = await Promise.all(
    Array.from({ length: KEYS }, (_, index) =>
      system.requestKey(walletId, { scheme: FROST_SCHEMES[index % FROST_SCHEMES.length]!, threshold: 2, parties: holdersOf(index) }),
    ),
  )
  const outcomes = await outcomesOf(system, KEYS)
  t.log(`${KEYS} keys of 2-of-3 in ${Math.round(performance.now() - began)} ms`)
  t.deepEqual(outcomes, Array(KEYS).fill('completed'))
  const keys = await Promise.all(
    keyIds.map(async (keyId) => requireActiveKey((await load(system.log, { decider: keyShare, stream: keyShareStream(keyId) })).state)),
  )
  t.true(keys.every(({ attempt }) => attempt === 1))
  t.is(new Set(keys.map(({ publicKey }) => publicKey)).size, KEYS)
  t.deepEqual(system.failures, [])
  await everyQuorumSigns(t, system, keys.at(-1)!)
})

/** How as many keys have ended, the first of them first: with the code, those that have failed. */
async function outcomesOf({ log }: TestSystem, count: number): Promise<string[]> {
  const outcomes: string[] = []
  for await (const batch of log.subscribe({ prefixes: [KEY_SHARE_STREAMS], signal: AbortSignal.timeout(WITHIN_MS) })) {
    for (const message of batch) {
      const event = message.kind === 'event' ? (message.event as KeyEvent) : undefined
      if (event?.type === 'KeyGenerationCompleted') outcomes.push('completed')
      if (event?.type === 'KeyGenerationFailed') outcomes.push(event.data.code)
    }
    if (outcomes.length >= count) break
  }
  return outcomes
}

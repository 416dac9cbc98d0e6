import test from 'ava'
import type { SigningSessionEvent } from '../../domain/signing-session/events.ts'
import { SIGNING_SESSION_STREAMS } from '../../domain/signing-session/events.ts'
import { startTestSystem } from './system.ts'
import { isSignature } from './verify.ts'

/** `npm run test:scale` asks for 200, and has nothing else run beside them. */
const { QUORATE_SCALE_SESSIONS } = process.env
const SESSIONS = Number(QUORATE_SCALE_SESSIONS ?? 60)
/** Everything is in one process here: beside other tests it may well take longer than parties are waited for at first. */
const MOST_ATTEMPTS = (QUORATE_SCALE_SESSIONS === undefined ? 3 : 1.2) * SESSIONS

test('many sessions asked for at once are all signed, most of them at the first attempt', async (t) => {
  const system = await startTestSystem({ parties: 3 })
  t.teardown(system.close)
  const key = await system.generateKey(await system.createWallet(), {
    scheme: 'frost-secp256k1-tr',
    threshold: 2,
    parties: system.parties.map(({ id }) => id),
  })
  const messages = Array.from({ length: SESSIONS }, (_, i) => new TextEncoder().encode(`pay ${i}`))
  const began = performance.now()
  const ids = await Promise.all(messages.map((message) => system.requestSignature(key, message, { seconds: 120 })))
  const over = new Map<string, SigningSessionEvent>()
  let attempts = 0
  const stop = new AbortController()
  for await (const batch of system.log.subscribe({ prefixes: [SIGNING_SESSION_STREAMS], signal: stop.signal })) {
    for (const message of batch) {
      if (message.kind !== 'event') continue
      const event = message.event as unknown as SigningSessionEvent
      if (event.type === 'SigningStarted') attempts++
      if (['SignatureProduced', 'SigningFailed', 'SigningExpired'].includes(event.type)) over.set(event.data.sessionId, event)
    }
    if (over.size === SESSIONS) stop.abort()
  }
  t.log(`${SESSIONS} sessions in ${Math.round(performance.now() - began)} ms, ${attempts} attempts`)
  for (const [i, id] of ids.entries()) {
    const event = over.get(id)!
    t.true(event.type === 'SignatureProduced' && isSignature(key.scheme, key.publicKey!, messages[i]!, event.data.signature), event.type)
  }
  t.true(attempts < MOST_ATTEMPTS)
  t.true(system.standing.reports().every(({ circuit }) => circuit === 'closed'))
})

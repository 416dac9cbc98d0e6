import { setInterval } from 'node:timers/promises'
import test from 'ava'
import { startEmbeddedNats } from '../../adapters/embedded/nats/server.ts'
import { keyShareStream } from '../../domain/key-share/events.ts'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import { portToKeep } from '../port-to-keep.ts'
import { startTestSystem } from './system.ts'
import { isSignature } from './verify.ts'

const message = new TextEncoder().encode('pay nobody')
/** As many as a session has attempts. */
const FAILURES = 5

test('what is asked for while the broker is away is done when it is back, and costs no attempt', async (t) => {
  const port = await portToKeep()
  let nats = await startEmbeddedNats({ port })
  const system = await startTestSystem({ parties: 2, broker: { url: nats.url, close: () => nats.close() }, presignatures: 10 })
  t.teardown(system.close)
  const walletId = await system.createWallet()
  const wanted = { scheme: 'frost-ed25519', threshold: 2, parties: ['party-1', 'party-2'] } as const
  const key = await system.generateKey(walletId, wanted)
  await system.stocked(key, 10)

  await nats.close()
  const sessionId = await system.requestSignature(key, message)
  const generating = system.generateKey(walletId, wanted)
  const refreshing = system.refresh(key.keyId)
  for await (const _ of setInterval(20)) if (system.failures.length >= 3 * FAILURES) break
  const types = async (stream: string) => (await system.events(stream)).map(({ type }) => type)
  t.false((await types(signingSessionStream(sessionId))).includes('SigningStarted'))
  t.false((await types(keyShareStream(key.keyId))).includes('KeyRefreshStarted'))

  nats = await startEmbeddedNats({ port })
  const session = await system.outcome(sessionId)
  t.true(isSignature(key.scheme, key.publicKey!, message, session.signature))
  t.like(await generating, { status: 'active', attempt: 1 })
  t.like(await refreshing, { epoch: key.epoch + 1 })
})

/** Whoever holds the broker records what the coordinator asks, and plays it again: right away, many times, or when it may do harm. */
import test from 'ava'
import { encodeRequest } from '../../adapters/nats/ceremony-codec.ts'
import { decodeEnvelope } from '../../adapters/nats/envelope.ts'
import { newStamp } from '../../adapters/nats/stamp.ts'
import type { CeremonyKind, CeremonyRequest, Header } from '../../domain/ceremony/messages.ts'
import { GOOD_FOR_MS } from '../../domain/ports/party-channel.ts'
import { referenceTo } from '../ceremony/by-hand.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { isSignature } from '../ceremony/verify.ts'
import { send, signed, subjectOf } from './raw-request.ts'

const VICTIM = 'party-1'
const PARTIES = [VICTIM, 'party-2']
/** More than there is room for in the pool beside the stock: played so often, a request for one opening would have it all make room. */
const TIMES = 300

let system: TestSystem
test.before(async () => {
  system = await startTestSystem({ parties: 2, presignatures: 10 })
})
test.after.always(() => system?.close())

const options = { scheme: 'frost-secp256k1-tr', threshold: 2, parties: PARTIES } as const

test.serial('a request to open that is played again draws nothing, and the stock stays good', async (t) => {
  const recorded: Uint8Array[] = []
  const stop = system.messages.subscribe(subjectOf(VICTIM), (payload) => recorded.push(payload.slice()))
  t.teardown(stop)
  await system.messages.ping()
  const key = await system.generateKey(await system.createWallet(), options)
  await system.stocked(key, 10)
  await system.messages.ping()

  const { generated } = system.party(VICTIM).nonceCounts(key.keyId)
  t.is(generated, 10)
  const toOpen = recorded.filter((payload) => decodeEnvelope(payload).header?.kind === 'opening')
  for (let played = 0; played < TIMES; played += toOpen.length)
    for (const { reply } of await Promise.all(toOpen.map((payload) => send(system, VICTIM, payload)))) t.is(reply.type, 'opened')
  t.deepEqual(system.party(VICTIM).nonceCounts(key.keyId), { generated, consumed: 0, expired: 0 })
  const message = Buffer.from('pay nobody')
  const session = await system.sign(key, message)
  t.is(session.attempt, 1)
  t.true(isSignature(key.scheme, key.publicKey!, message, session.signature))
})

test.serial('what was asked too long ago, or is dated ahead, is not listened to, whatever it is', async (t) => {
  const key = await system.generateKey(await system.createWallet(), options)
  const { keyId, scheme, attempt } = key
  const share = referenceTo(key)
  const authorisation = system.authorise(`/v1/keys/${keyId}/refresh`, {})
  const ask = async (kind: CeremonyKind, request: CeremonyRequest, at: number) => {
    const header: Header = { scheme, kind, ceremonyId: keyId, attempt, round: 1, from: 'coordinator', to: VICTIM }
    const payload = await signed(system.identities.coordinator, header, encodeRequest(request), newStamp(at))
    return (await send(system, VICTIM, payload)).reply
  }
  const requests: [CeremonyKind, CeremonyRequest][] = [
    ['opening', { type: 'open', share, count: 1 }],
    ['opening', { type: 'abandon', openings: [] }],
    ['refresh', { type: 'refreshKey', share, authorisation }],
    ['refresh-completion', { type: 'discardRefresh', share }],
  ]
  for (const [kind, request] of requests)
    for (const apart of [GOOD_FOR_MS + 1_000, -2 * GOOD_FOR_MS])
      t.like(await ask(kind, request, Date.now() - apart), { type: 'refused', code: 'request_stale', culprits: ['coordinator'] })
  for (const apart of [GOOD_FOR_MS - 10_000, 0, 10_000 - GOOD_FOR_MS])
    t.is((await ask('opening', { type: 'open', share, count: 1 }, Date.now() - apart)).type, 'opened')
})

import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { softwareKey } from '../../adapters/identity/party-identity.ts'
import { encodeRequest } from '../../adapters/nats/ceremony-codec.ts'
import { encodeEnvelope } from '../../adapters/nats/envelope.ts'
import { connectMessages } from '../../adapters/nats/messages.ts'
import { partyEndpoint } from '../../adapters/nats/party-channel.ts'
import { newStamp } from '../../adapters/nats/stamp.ts'
import type { Header } from '../../domain/ceremony/messages.ts'
import { ForgedReply, InvalidReply } from '../../domain/ports/party-channel.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { ask, newGeneration, open } from './hostile-coordinator.ts'
import { send, signed, subjectOf } from './raw-request.ts'

const VICTIM = 'party-1'
const PARTIES = [VICTIM, 'party-2']

let system: TestSystem
test.before(async () => {
  system = await startTestSystem({ parties: 2 })
})
test.after.always(() => system?.close())

const stranger = (id: string) => ({ id, ...softwareKey(generateKeyPairSync('ed25519').privateKey) })

/** A first round that the victim would take part in if the coordinator asked. */
function firstRound() {
  const generation = newGeneration(PARTIES)
  const header: Header = { ...generation.attempt, round: 1, from: 'coordinator', to: VICTIM }
  return { generation, header, content: encodeRequest({ type: 'generateKey', key: generation.key }) }
}

const health = async () =>
  JSON.parse(
    Buffer.from(await system.messages.request(`quorate.party.${VICTIM}.health`, new Uint8Array(), { timeoutMs: 20_000 })).toString(),
  )

test.serial(
  'a request in the name of the coordinator that it has not signed is refused before any work, the name in the refusal',
  async (t) => {
    const { generation, header, content } = firstRound()
    const { coordinator, party } = system.identities
    const before = await health()
    const stamp = newStamp(Date.now())
    const forgeries = [
      encodeEnvelope({ header, stamp, content, signature: new Uint8Array(64) }),
      await signed(stranger('coordinator'), header, content),
      await signed(party('party-2').identity, header, content),
      await signed(party(VICTIM).identity, header, content),
      // Signed by the coordinator, but for something else.
      ...(await Promise.all(
        [
          { ...header, round: 2 },
          { ...header, attempt: 2 },
          { ...header, ceremonyId: 'another' },
          { ...header, kind: 'revocation' } as const,
        ].map(async (other) => {
          const signature = (await signed(coordinator, other, content, stamp)).slice(-64)
          return encodeEnvelope({ header, stamp, content, signature })
        }),
      )),
      encodeEnvelope({
        header,
        stamp: newStamp(Date.now()),
        content,
        signature: (await signed(coordinator, header, content, stamp)).slice(-64),
      }),
      encodeEnvelope({
        header,
        stamp,
        content: encodeRequest({ type: 'destroyShares', keyId: header.ceremonyId, authorisation: generation.key.authorisation }),
        signature: (await signed(coordinator, header, content, stamp)).slice(-64),
      }),
    ]
    for (const forgery of forgeries) {
      const { reply, isSigned } = await send(system, VICTIM, forgery)
      t.like(reply, { type: 'refused', code: 'signature_invalid', culprits: ['coordinator'] })
      t.true(isSigned)
    }
    const after = await health()
    t.is(after.refusedMessages - before.refusedMessages, forgeries.length)
    t.is(after.openCeremonies, before.openCeremonies)
    t.is((await open(system, generation, VICTIM)).type, 'said')
  },
)

test.serial('who is not in the registry, or is there as a party, may not ask, whatever he signs with', async (t) => {
  const { header, content } = firstRound()
  const { identity } = system.identities.party('party-2')
  for (const sender of [stranger('nobody'), identity, system.identities.party(VICTIM).identity]) {
    const { reply, isSigned } = await send(system, VICTIM, await signed(sender, { ...header, from: sender.id }, content))
    t.like(reply, { type: 'refused', code: 'unknown_sender', culprits: [sender.id] })
    t.true(isSigned)
  }
})

test.serial('a request that the coordinator has signed for another party is refused', async (t) => {
  const { header, content } = firstRound()
  const { reply } = await send(system, VICTIM, await signed(system.identities.coordinator, { ...header, to: 'party-2' }, content))
  t.like(reply, { type: 'refused', code: 'malformed', culprits: ['coordinator'] })
})

test.serial('an answer that the party has not signed, or has signed to something else, is taken for nobody’s', async (t) => {
  const { registry, verify } = system.identities.witness
  const { identity } = system.identities.party(VICTIM)
  const { generation } = firstRound()
  const header = { ...generation.attempt, round: 1, to: VICTIM }
  const request = { type: 'generateKey', key: generation.key } as const
  const another = { type: 'generateKey', key: { ...generation.key, threshold: 1 } } as const
  const recorded: Uint8Array[] = []
  const tap = await connectMessages({ url: system.brokerUrl, name: 'tap' })
  tap.subscribe('_INBOX.>', (payload) => recorded.push(payload))
  await tap.ping()
  t.is((await ask(system, header, request)).type, 'said')
  await tap.ping()
  t.is(recorded.length, 1)

  await system.party(VICTIM).kill()
  const impostor = await connectMessages({ url: system.brokerUrl, name: 'impostor' })
  t.teardown(() => Promise.all([tap.close(), impostor.close()]))
  t.teardown(() => system.party(VICTIM).revive())
  const answeredBy = async (handler: (payload: Uint8Array) => Promise<Uint8Array>) => {
    const stop = impostor.serve(subjectOf(VICTIM), handler)
    await impostor.ping()
    try {
      return await t.throwsAsync(ask(system, header, another))
    } finally {
      await stop()
    }
  }
  const reply = { type: 'refused', code: 'busy', reason: 'no', culprits: [] } as const
  const played = async (other: typeof identity) => {
    const endpoint = partyEndpoint(impostor, { registry, verify, identity: other })
    const stop = endpoint.serve(VICTIM, async () => reply)
    await impostor.ping()
    try {
      return await ask(system, header, another)
    } finally {
      await stop()
    }
  }
  for (const forged of [
    recorded[0]!,
    new Uint8Array(),
    Buffer.from('{}'),
    encodeEnvelope({ header: null, stamp: null, content: Uint8Array.of(1), signature: new Uint8Array(64) }),
  ])
    t.true((await answeredBy(async () => forged)) instanceof ForgedReply)
  for (const other of [stranger(VICTIM), system.identities.party('party-2').identity])
    await t.throwsAsync(played(other), { instanceOf: ForgedReply })
  t.deepEqual(await played(identity), reply)
  t.true(ForgedReply.prototype instanceof InvalidReply)
})

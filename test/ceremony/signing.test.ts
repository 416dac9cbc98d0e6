import test from 'ava'
import { keyShareStream } from '../../domain/key-share/events.ts'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { SCHEMES } from '../../domain/threshold/scheme.ts'
import { walletStream } from '../../domain/wallet/events.ts'
import { askToOpen } from './by-hand.ts'
import { type Broker, embeddedBroker, realBroker, startTestSystem } from './system.ts'
import { isSignature } from './verify.ts'

const message = new TextEncoder().encode('pay nobody')

const brokers: { readonly [name: string]: () => Promise<Broker | undefined> } = {
  'the embedded broker': embeddedBroker,
  'nats-server': realBroker,
}

for (const [name, start] of Object.entries(brokers)) {
  test.serial(`keys of all schemes are generated and sign over ${name}`, async (t) => {
    const broker = await start()
    if (!broker) {
      t.pass('nats-server is not installed')
      return
    }
    const system = await startTestSystem({ parties: 3, broker })
    t.teardown(system.close)
    const walletId = await system.createWallet()
    const parties = system.parties.map(({ id }) => id)

    for (const scheme of SCHEMES) {
      const key = await system.generateKey(walletId, { scheme, threshold: 2, parties })
      t.is(key.status, 'active')
      const session = await system.sign(key, message)
      t.is(session.status, 'signed')
      t.is(session.signers.length, 2)
      t.true(isSignature(scheme, key.publicKey!, message, session.signature))

      const keyEvents = (await system.events(keyShareStream(key.keyId))).map(({ type }) => type)
      t.deepEqual(keyEvents, [
        'KeyGenerationRequested',
        'KeyGenerationStarted',
        ...parties.map(() => 'CommitmentReceived'),
        ...parties.map(() => 'ShareGenerated'),
        'KeyGenerationCompleted',
      ])
      const sessionEvents = (await system.events(signingSessionStream(session.sessionId))).map(({ type }) => type)
      const { signing } = protocolOf(scheme)
      const rounds = Array<string>(signing.openedBy === 'each' ? 2 : signing.rounds + 1).fill('RoundCompleted')
      t.deepEqual(sessionEvents, ['SigningRequested', 'SigningStarted', ...rounds, 'SignatureProduced'])
    }
    const attached = (await system.events(walletStream(walletId))).filter(({ type }) => type === 'KeyAttached')
    t.is(attached.length, SCHEMES.length)
    t.deepEqual(system.failures, [])
  })
}

test.serial('every threshold from one of one to all of them signs', async (t) => {
  const system = await startTestSystem({ parties: 3 })
  t.teardown(system.close)
  const walletId = await system.createWallet()
  const ids = system.parties.map(({ id }) => id)
  for (const [threshold, parties] of [
    [1, 1],
    [1, 2],
    [3, 3],
  ] as const) {
    const key = await system.generateKey(walletId, { scheme: 'frost-secp256k1-tr', threshold, parties: ids.slice(0, parties) })
    const session = await system.sign(key, message)
    t.is(session.signers.length, threshold)
    t.true(isSignature(key.scheme, key.publicKey!, message, session.signature))
  }
})

test.serial('a key survives the restart of every party', async (t) => {
  const system = await startTestSystem({ parties: 2 })
  t.teardown(system.close)
  const key = await system.generateKey(await system.createWallet(), {
    scheme: 'frost-ed25519',
    threshold: 2,
    parties: ['party-2', 'party-1'],
  })
  for (const party of system.parties) {
    await party.kill()
    await party.revive()
  }
  const session = await system.sign(key, message)
  t.true(isSignature(key.scheme, key.publicKey!, message, session.signature))
})

test.serial('many sessions of one key at once all come to one signature each', async (t) => {
  const system = await startTestSystem({ parties: 3 })
  t.teardown(system.close)
  const key = await system.generateKey(await system.createWallet(), {
    scheme: 'frost-secp256k1-tr',
    threshold: 2,
    parties: system.parties.map(({ id }) => id),
  })
  const messages = Array.from({ length: 24 }, (_, i) => new TextEncoder().encode(`payment ${i}`))
  const sessions = await Promise.all(messages.map((each) => system.sign(key, each)))
  t.deepEqual(
    sessions.map((session, i) => isSignature(key.scheme, key.publicKey!, messages[i]!, session.signature)),
    messages.map(() => true),
  )
})

test.serial('a revoked key has no shares left, and the parties refuse it even when asked directly', async (t) => {
  const system = await startTestSystem({ parties: 3 })
  t.teardown(system.close)
  const key = await system.generateKey(await system.createWallet(), {
    scheme: 'frost-ed25519',
    threshold: 2,
    parties: system.parties.map(({ id }) => id),
  })
  t.is((await askToOpen(system, key, 'party-1')).type, 'opened')

  const destroyed = new Promise<void>((resolve) => {
    const confirmed = new Set<string>()
    for (const party of system.parties)
      party.lie = (reply) => {
        if (reply.type === 'destroyed' && confirmed.add(party.id).size === 3) resolve()
        return reply
      }
  })
  await system.revoke(key.keyId)
  await destroyed
  for (const { id } of system.parties) t.like(await askToOpen(system, key, id), { type: 'refused', code: 'key_revoked' })

  const session = await system.sign(key, message)
  t.like(session, { status: 'failed', failure: { code: 'key_not_active' } })
})

test.serial('a session whose deadline has passed expires instead of signing', async (t) => {
  const system = await startTestSystem({ parties: 1 })
  t.teardown(system.close)
  const key = await system.generateKey(await system.createWallet(), { scheme: 'frost-ed25519', threshold: 1, parties: ['party-1'] })
  const session = await system.outcome(await system.requestSignature(key, message, { seconds: -1 }))
  t.is(session.status, 'expired')
  t.is(session.attempt, 0)
})

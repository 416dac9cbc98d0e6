import test from 'ava'
import { keyShareStream } from '../../domain/key-share/events.ts'
import { SCHEMES } from '../../domain/threshold/scheme.ts'
import { everyQuorumSigns, filesOf, onlyInForce, onlyRevoked } from './key-checks.ts'
import { type KeyEvent, startTestSystem } from './system.ts'
import { isSignature } from './verify.ts'

const HOLDERS = ['party-1', 'party-2', 'party-3']

async function systemWithKey(t: { teardown(close: () => Promise<void>): void }, scheme: (typeof SCHEMES)[number] = 'frost-secp256k1-tr') {
  const system = await startTestSystem({ parties: 3 })
  t.teardown(system.close)
  const key = await system.generateKey(await system.createWallet(), { scheme, threshold: 2, parties: HOLDERS })
  return { system, key }
}

for (const scheme of SCHEMES) {
  test.serial(`a ${scheme} key that is refreshed keeps its public key, and every quorum signs with the new shares`, async (t) => {
    const { system, key } = await systemWithKey(t, scheme)
    for (const epoch of [2, 3]) {
      const refreshed = await system.refresh(key.keyId)
      t.like(refreshed, { status: 'active', epoch, publicKey: key.publicKey })
      t.not(refreshed.publicPackage, key.publicPackage)
      await onlyInForce(system, refreshed)
      await everyQuorumSigns(t, system, refreshed)
    }
    t.deepEqual(system.failures, [])
  })
}

test.serial('a refresh without one of the holders fails naming it, leaves the old shares alone, and works when it is back', async (t) => {
  const { system, key } = await systemWithKey(t)
  await system.party('party-2').kill()
  const failed = await system.refresh(key.keyId)
  t.like(failed, { status: 'active', epoch: 1 })
  const events = (await system.events(keyShareStream(key.keyId))) as KeyEvent[]
  const failure = events.find((event) => event.type === 'KeyRefreshFailed')
  t.like(failure?.data, { epoch: 2, code: 'party_unavailable', culprits: ['party-2'] })
  await system.party('party-2').revive()
  await onlyInForce(system, failed)
  await everyQuorumSigns(t, system, failed)
  const refreshed = await system.refresh(key.keyId)
  t.like(refreshed, { status: 'active', epoch: 2 })
  await onlyInForce(system, refreshed)
})

test.serial('what a failed attempt has left at the parties is discarded', async (t) => {
  const { system, key } = await systemWithKey(t)
  // It seals its share like the others, and then denies it.
  system.party('party-3').lie = (reply, { header }) =>
    header.kind === 'refresh' && reply.type === 'generated' ? { ...reply, publicKey: new Uint8Array(32) } : reply
  const failed = await system.refresh(key.keyId)
  t.like(failed, { status: 'active', epoch: 1 })
  for (const id of HOLDERS) t.deepEqual(await filesOf(system, id, key.keyId), ['epoch-1-attempt-1.json'])
})

test.serial('signatures are made all through a refresh, and none fails', async (t) => {
  const { system, key } = await systemWithKey(t)
  let over = false
  const signAll = async () => {
    let sessions = 0
    for (; !over; sessions++) {
      const message = new TextEncoder().encode(`payment ${sessions}`)
      const session = await system.sign(key, message)
      t.true(isSignature(key.scheme, key.publicKey!, message, session.signature), JSON.stringify(session.failure))
    }
    return sessions
  }
  const signing = [signAll(), signAll()]
  for (const epoch of [2, 3, 4]) {
    const refreshed = await system.refresh(key.keyId)
    t.is(refreshed.epoch, epoch)
    await onlyInForce(system, refreshed)
  }
  over = true
  for (const sessions of await Promise.all(signing)) t.true(sessions > 3)
})

test.serial('a holder that is away when all have their new share keeps both until it is back; the others too', async (t) => {
  const { system, key } = await systemWithKey(t)
  const away = system.party('party-3')
  const left = new Promise<void>((resolve) => {
    away.lie = (reply, { header }) => {
      if (header.kind === 'refresh' && reply.type === 'generated') {
        away.lie = undefined
        void away.kill().then(resolve)
      }
      return reply
    }
  })
  const refreshed = await system.refresh(key.keyId)
  await left
  t.is(refreshed.epoch, 2)
  const session = await system.sign(refreshed, new Uint8Array(8))
  t.true(isSignature(key.scheme, key.publicKey!, new Uint8Array(8), session.signature))
  for (const id of HOLDERS) t.true((await filesOf(system, id, key.keyId)).includes('epoch-1-attempt-1.json'))
  await away.revive()
  await onlyInForce(system, refreshed)
  await everyQuorumSigns(t, system, refreshed)
})

test.serial('a key that is revoked while it is refreshed is revoked, and no party keeps anything', async (t) => {
  const { system, key } = await systemWithKey(t)
  let revoking: Promise<void> | undefined
  system.party('party-1').lie = (reply, { header }) => {
    if (header.kind === 'refresh' && header.round === 2) revoking ??= system.revoke(key.keyId)
    return reply
  }
  const revoked = await system.refresh(key.keyId)
  await revoking
  t.is(revoked.status, 'revoked')
  await onlyRevoked(system, revoked)
  const types = (await system.events(keyShareStream(key.keyId))).map(({ type }) => type)
  t.false(types.includes('KeyRefreshCompleted'))
})

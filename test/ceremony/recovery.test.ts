import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { keyShareStream } from '../../domain/key-share/events.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { SCHEMES, type Scheme } from '../../domain/threshold/scheme.ts'
import { everyQuorumSigns, filesOf, loseShares, onlyInForce } from './key-checks.ts'
import { type KeyEvent, startTestSystem } from './system.ts'

const HOLDERS = ['party-1', 'party-2', 'party-3']

async function systemWithKey(t: { teardown(close: () => Promise<void>): void }, scheme: Scheme = 'frost-secp256k1-tr') {
  const system = await startTestSystem({ parties: 4 })
  t.teardown(system.close)
  const key = await system.generateKey(await system.createWallet(), { scheme, threshold: 2, parties: HOLDERS })
  return { system, key }
}

/** What pairs of holders have in common is not recovered, but made anew. */
const signsOnlyAfterRefresh = (scheme: Scheme) => protocolOf(scheme).withoutCounterparty !== undefined

for (const scheme of SCHEMES) {
  test.serial(`a ${scheme} share that is lost is given back, signs with every other, and can be refreshed`, async (t) => {
    const { system, key } = await systemWithKey(t, scheme)
    await loseShares(system, 'party-2')
    const recovered = await system.recover(key.keyId, 'party-2')
    t.like(recovered, { status: 'active', epoch: 1, publicPackage: key.publicPackage })
    const events = (await system.events(keyShareStream(key.keyId))) as KeyEvent[]
    t.deepEqual(
      events.slice(-3).map(({ type }) => type),
      ['ShareRecoveryRequested', 'ShareRecoveryStarted', 'ShareRecovered'],
    )
    if (!signsOnlyAfterRefresh(scheme)) await everyQuorumSigns(t, system, recovered)
    const refreshed = await system.refresh(key.keyId)
    t.is(refreshed.epoch, 2)
    await onlyInForce(system, refreshed)
    await everyQuorumSigns(t, system, refreshed)
    t.deepEqual(system.failures, [])
  })
}

test.serial('a share of a later epoch is recovered as it is in force', async (t) => {
  const { system, key } = await systemWithKey(t)
  const refreshed = await system.refresh(key.keyId)
  await onlyInForce(system, refreshed)
  await loseShares(system, 'party-3')
  const recovered = await system.recover(key.keyId, 'party-3')
  await onlyInForce(system, recovered)
  await everyQuorumSigns(t, system, recovered)
})

test.serial('a share that the vault does not open any more is recovered over the damaged one', async (t) => {
  const { system, key } = await systemWithKey(t)
  await writeFile(join(system.party('party-1').dir, 'shares', key.keyId, 'epoch-1-attempt-1.json'), 'damaged')
  await system.recover(key.keyId, 'party-1')
  await everyQuorumSigns(t, system, key)
})

test.serial('a share that is not lost is left alone', async (t) => {
  const { system, key } = await systemWithKey(t)
  const before = await filesOf(system, 'party-1', key.keyId)
  await system.recover(key.keyId, 'party-1')
  const events = (await system.events(keyShareStream(key.keyId))) as KeyEvent[]
  t.like(events.at(-1), { type: 'ShareRecoveryFailed', data: { partyId: 'party-1', code: 'share_exists' } })
  t.deepEqual(await filesOf(system, 'party-1', key.keyId), before)
  await everyQuorumSigns(t, system, key)
})

test.serial('a helper that fails is replaced by another holder', async (t) => {
  const system = await startTestSystem({ parties: 4 })
  t.teardown(system.close)
  const parties = system.parties.map(({ id }) => id)
  const key = await system.generateKey(await system.createWallet(), { scheme: 'frost-ed25519', threshold: 2, parties })
  await loseShares(system, 'party-4')
  let liar: string | undefined
  for (const party of system.parties.slice(0, 3))
    party.lie = (reply, { header }) => {
      if (header.kind !== 'recovery' || header.round !== 2 || reply.type !== 'said') return reply
      liar ??= party.id
      if (liar !== party.id) return reply
      return { ...reply, secrets: reply.secrets.map((secret) => ({ ...secret, sealed: new Uint8Array(80) })) }
    }
  await system.recover(key.keyId, 'party-4')
  const events = (await system.events(keyShareStream(key.keyId))) as KeyEvent[]
  const starts = events.flatMap((event) => (event.type === 'ShareRecoveryStarted' ? [event.data.helpers] : []))
  t.is(events.at(-1)?.type, 'ShareRecovered')
  t.true(starts[0]!.includes(liar!))
  t.false(starts.at(-1)!.includes(liar!))
  await everyQuorumSigns(t, system, key)
})

test.serial('a share is recovered while changes of the policy are on their way', async (t) => {
  const { system, key } = await systemWithKey(t)
  await loseShares(system, 'party-2')
  // The one that has lost its share cannot follow the first: until it can, the second is not begun.
  await system.changePolicy(key.walletId, { rawDigests: true })
  await system.changePolicy(key.walletId, { rawDigests: false })
  await system.recover(key.keyId, 'party-2')
  const events = (await system.events(keyShareStream(key.keyId))) as KeyEvent[]
  t.deepEqual(
    events.slice(-3).map(({ type }) => type),
    ['ShareRecoveryRequested', 'ShareRecoveryStarted', 'ShareRecovered'],
  )
  await everyQuorumSigns(t, system, key)
})

test.serial('helpers whom a change of the policy has not reached are not to blame', async (t) => {
  const { system, key } = await systemWithKey(t)
  await loseShares(system, 'party-2')
  for (const party of system.parties)
    party.mishear = (asked) => {
      const { request } = asked
      return request.type === 'changePolicy' ? { ...asked, request: { ...request, change: { ...request.change, version: 9 } } } : asked
    }
  await system.changePolicy(key.walletId, { rawDigests: true })
  await system.recover(key.keyId, 'party-2')
  const events = (await system.events(keyShareStream(key.keyId))) as KeyEvent[]
  t.like(events.at(-1), { type: 'ShareRecoveryFailed', data: { code: 'share_mismatch', culprits: [] } })
  t.true(system.standing.reports().every(({ failuresInARow }) => failuresInARow === 0))
})

import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { vaultOf } from '../test/ceremony/share-store-fixture.ts'
import { banCounterparty, requireNoneBanned } from './banned-counterparties.ts'
import type { ShareRecord } from './share-record.ts'
import { openShareStore } from './share-store.ts'

const record: ShareRecord = {
  partyId: 'party-1',
  keyId: 'key-1',
  attempt: 1,
  epoch: 1,
  scheme: 'dkls23-secp256k1',
  threshold: 2,
  parties: ['party-1', 'party-2', 'party-3'],
  publicKey: new Uint8Array(33),
  publicPackage: new Uint8Array(1),
  policy: new Uint8Array(1),
}

test('a ban that the disk does not take is refused for and reported, and tried again whenever the counterparty is to sign', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'quorate-bans-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const shares = await openShareStore({ dir, partyId: 'party-1', vault: vaultOf(dir) })
  const reported: string[] = []
  const dependencies = { shares, onFailure: (error: unknown) => reported.push((error as Error).message) }
  await t.notThrowsAsync(requireNoneBanned(dependencies, record, ['party-1', 'party-2']))

  // There is no folder that a ban could be written to.
  await rename(join(dir, 'shares'), join(dir, 'gone'))
  const notOnDisk = 'party-2 is banned from key-1, but not all of that is on the disk'
  await t.notThrowsAsync(banCounterparty(dependencies, record, 'party-2'))
  t.deepEqual(reported, [notOnDisk])
  const refusal = { code: 'counterparty_banned', culprits: ['party-2'] }
  t.like(await t.throwsAsync(requireNoneBanned(dependencies, record, ['party-1', 'party-2'])), refusal)
  t.deepEqual(reported, [notOnDisk, notOnDisk])
  await t.notThrowsAsync(requireNoneBanned(dependencies, record, ['party-1', 'party-3']))
  t.is(shares.unwrittenBans, 1)
})

import { execFile, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { cp, mkdir, rename, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { ledgerFileIn } from '../../adapters/ledger/ledger-file.ts'
import { openSigningLedger } from '../../adapters/ledger/signing-ledger.ts'
import { openWitnessStore } from '../../adapters/ledger/witness-store.ts'
import { askToOpen, askToSign, openingOf } from '../ceremony/by-hand.ts'
import { startTestSystem } from '../ceremony/system.ts'
import { isSignature } from '../ceremony/verify.ts'
import { until } from '../crash/condition.ts'

const SCRIPT = join(import.meta.dirname, '../../scripts/unfence.js')

test('a party whose store is an older copy signs nothing until an operator says so', async (t) => {
  const system = await startTestSystem({ parties: 3 })
  t.teardown(system.close)
  const party = system.party('party-1')
  const [walletId, message] = [await system.createWallet(), randomBytes(32)]
  const shared = await system.generateKey(walletId, { scheme: 'frost-ed25519', threshold: 2, parties: ['party-1', 'party-2', 'party-3'] })
  const key = await system.generateKey(walletId, { scheme: 'frost-ed25519', threshold: 1, parties: [party.id] })
  const open = () => askToOpen(system, key, party.id)
  const sign = async (over = randomBytes(32)) =>
    askToSign(system, key, party.id, { sessionId: randomUUID(), message: over, openings: [await openingOf(system, key, party.id)] })
  const endOfLedger = async () => {
    const ledger = openSigningLedger({ file: ledgerFileIn(party.dir) })
    const { sequence } = ledger.head()
    await ledger.close()
    return sequence
  }
  const isWitnessed = (by: string, sequence: bigint) => {
    const store = openWitnessStore({ file: ledgerFileIn(system.party(by).dir) })
    t.teardown(store.close)
    return until(
      () => store.witnessed(party.id)?.sequence === sequence,
      () => `${by} has not witnessed the claim`,
      5_000,
    )
  }

  t.is((await sign()).type, 'contributed')
  await party.kill()
  await cp(party.dir, `${party.dir}-backup`, { recursive: true })
  await party.revive()
  await until(
    async () => (await open()).type === 'opened',
    () => 'the party does not open',
    5_000,
  )
  const before = await endOfLedger()
  t.is((await sign()).type, 'contributed')
  await Promise.all(['party-2', 'party-3'].map((by) => isWitnessed(by, before + 1n)))
  await party.kill()
  await rename(party.dir, `${party.dir}-newest`)
  await rename(`${party.dir}-backup`, party.dir)
  await party.revive()

  const code = async () => {
    const reply = await open()
    return reply.type === 'refused' ? reply.code : reply.type
  }
  await until(
    async () => (await code()) !== 'busy',
    () => 'nobody has answered',
    5_000,
  )
  t.is(await code(), 'fenced')
  await party.kill()
  await party.revive()
  t.is(await code(), 'fenced', 'it remembers')
  const session = await system.sign(shared, message)
  t.is(session.status, 'signed', 'the others go on')
  t.deepEqual(session.signers.toSorted(), ['party-2', 'party-3'])

  const dataDir = join(system.dir, 'data')
  await mkdir(dataDir)
  await symlink(system.dir, join(dataDir, 'parties'))
  const env = { ...process.env, QUORATE_DATA_DIR: dataDir }
  const args = [SCRIPT, '--party', party.id, '--reason', 'the disk burned']
  const unsure = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  let warning = ''
  unsure.stderr.setEncoding('utf8').on('data', (text: string) => (warning += text))
  unsure.stdin.end('yes\n')
  t.is(await new Promise((resolve) => unsure.once('close', resolve)), 1)
  t.true(warning.includes(`ends with entry ${before}; the other parties have seen it at entry ${before + 1n}`), warning)
  t.is(await code(), 'fenced')

  await promisify(execFile)(process.execPath, [...args, '--yes-i-have-checked'], { env })
  await until(
    async () => (await code()) !== 'fenced',
    () => 'the running party has not noticed',
    15_000,
  )
  const reply = await sign(message)
  if (reply.type !== 'contributed') return t.fail(JSON.stringify(reply))
  t.true(isSignature('frost-ed25519', key.publicKey!, message, Buffer.from(reply.contribution).toString('hex')))
  await party.kill()
  await party.revive()
  await until(
    async () => (await code()) !== 'busy',
    () => 'nobody has answered',
    5_000,
  )
  t.not(await code(), 'fenced', 'what was lifted stays lifted')
})

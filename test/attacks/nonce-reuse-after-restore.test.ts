import { execFile, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { cp, mkdir, rename, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { ledgerFileIn } from '../../adapters/ledger/ledger-file.ts'
import { openWitnessStore } from '../../adapters/ledger/witness-store.ts'
import { startTestSystem } from '../ceremony/system.ts'
import { isSignature } from '../ceremony/verify.ts'
import { until } from '../crash/condition.ts'
import { type Attempt, askToSign, opened, openSigning, signRequest } from './direct-signing.ts'

const SCRIPT = join(import.meta.dirname, '../../scripts/unfence.js')

test('a party whose store is an older copy signs nothing until an operator says so', async (t) => {
  const system = await startTestSystem({ parties: 3 })
  t.teardown(system.close)
  const party = system.party('party-1')
  const [walletId, message] = [await system.createWallet(), randomBytes(32)]
  const shared = await system.generateKey(walletId, { scheme: 'frost-ed25519', threshold: 2, parties: ['party-1', 'party-2', 'party-3'] })
  const key = await system.generateKey(walletId, { scheme: 'frost-ed25519', threshold: 1, parties: [party.id] })
  const sole = { ...key, publicKey: Buffer.from(key.publicKey!, 'hex') }
  const attemptAt = (sessionId: string, attempt = 1): Attempt => ({
    channel: system.channel,
    key: sole,
    party: party.id,
    sessionId,
    attempt,
  })
  const sign = async (attempt: Attempt, over: Uint8Array) => askToSign(attempt, signRequest(attempt, await opened(attempt), over))
  const isWitnessed = (by: string, sequence: bigint) => {
    const store = openWitnessStore({ file: ledgerFileIn(system.party(by).dir) })
    t.teardown(store.close)
    return until(
      () => store.witnessed(party.id)?.sequence === sequence,
      () => `${by} has not witnessed the claim`,
      5_000,
    )
  }

  t.is((await sign(attemptAt(randomUUID()), message)).type, 'contributed')
  await party.kill()
  await cp(party.dir, `${party.dir}-backup`, { recursive: true })
  await party.revive()
  const lost = attemptAt(randomUUID())
  await until(
    async () => (await openSigning(lost)).type === 'said',
    () => 'the party does not open',
    5_000,
  )
  t.is((await askToSign(lost, signRequest(lost, await opened(lost), message))).type, 'contributed')
  await Promise.all(['party-2', 'party-3'].map((by) => isWitnessed(by, 2n)))
  await party.kill()
  await rename(party.dir, `${party.dir}-newest`)
  await rename(`${party.dir}-backup`, party.dir)
  await party.revive()

  const again = attemptAt(lost.sessionId, 2)
  const code = async () => {
    const reply = await openSigning(again)
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
  t.regex(warning, /ends with entry 1; the other parties have seen it at entry 2/)
  t.is(await code(), 'fenced')

  await promisify(execFile)(process.execPath, [...args, '--yes-i-have-checked'], { env })
  await until(
    async () => (await code()) !== 'fenced',
    () => 'the running party has not noticed',
    15_000,
  )
  const after = attemptAt(randomUUID())
  const reply = await sign(after, message)
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

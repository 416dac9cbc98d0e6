import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { openLedgerFile } from '../../adapters/ledger/ledger-file.ts'
import { openSigningLedger } from '../../adapters/ledger/signing-ledger.ts'
import { verifyLedger } from '../../adapters/ledger/verification.ts'
import { ClaimRefused } from '../../domain/ports/signing-ledger.ts'
import type { Acknowledged } from './claimant.ts'
import { randomFrom } from './random.ts'

/** `QUORATE_LEDGER_KILLS=300` for a long run. */
const KILLS = Number(process.env.QUORATE_LEDGER_KILLS ?? 3)
const LONGEST_LIFE_MS = 200

test('two processes that claim the same are killed again and again: what was acknowledged is there, and nothing was signed twice', async (t) => {
  t.timeout(KILLS * 10_000 + 60_000)
  const seed = String(Date.now())
  t.log(`seed ${seed}`)
  const random = randomFrom(seed)
  const dir = await mkdtemp(join(tmpdir(), 'quorate-claims-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const file = join(dir, 'ledger.db')
  const acknowledged: Acknowledged[] = []

  for (let round = 0; round < KILLS; round++) {
    const claimants = [startClaimant(file, round), startClaimant(file, round)]
    await Promise.all(claimants.map(({ begun }) => begun))
    // One that is behind the other all the time may have claimed nothing.
    await Promise.race(claimants.map(({ acknowledged }) => acknowledged))
    const recent: Acknowledged[] = []
    for (const claimant of claimants) {
      await delay(random.below(LONGEST_LIFE_MS))
      recent.push(...(await claimant.kill()))
    }
    acknowledged.push(...recent)
    await audit(recent)
  }
  await audit(acknowledged)
  const opened = openLedgerFile(file)
  t.true(verifyLedger(opened).sequence >= acknowledged.length)
  opened.close()

  async function audit(claims: readonly Acknowledged[]): Promise<void> {
    const ledger = openSigningLedger({ file })
    const answered = (sessionId: string) => Buffer.from(ledger.answered('key', sessionId, 1)?.answer ?? []).toString('hex')
    t.deepEqual(
      claims.filter(({ sessionId, answer }) => answered(sessionId) !== answer),
      [],
    )
    for (const { sessionId, slot } of claims.filter(() => random.chance(0.02))) {
      const otherwise = { requestDigest: randomBytes(32), digest: randomBytes(32), intents: [], answer: randomBytes(64) }
      const again = { ...otherwise, keyId: 'key', sessionId, attempt: 2, slots: [slot], transaction: null }
      await t.throwsAsync(ledger.claim(again), { instanceOf: ClaimRefused, code: 'signed_otherwise' })
      const elsewhere = { ...again, sessionId: `elsewhere-${sessionId}` }
      await t.throwsAsync(ledger.claim(elsewhere), { instanceOf: ClaimRefused, code: 'slot_taken' })
    }
    await ledger.close()
  }

  t.is(new Set(acknowledged.map(({ once }) => once)).size, acknowledged.length)
  t.true(acknowledged.length > KILLS)
  t.log(`${acknowledged.length} claims acknowledged`)
})

type Claimant = { begun: Promise<void>; acknowledged: Promise<void>; kill(): Promise<Acknowledged[]> }

function startClaimant(file: string, round: number): Claimant {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, 'claimant.js'), file, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (said += text))
  const closed = once(child, 'close')
  const saying = (what: string) =>
    new Promise<void>((resolve, reject) => {
      child.stdout!.on('data', () => said.includes(what) && resolve())
      child.once('close', (code) => reject(new Error(`the claimant ended: ${code}`)))
    })
  return {
    begun: saying('\n'),
    acknowledged: saying('}\n'),
    async kill() {
      child.kill('SIGKILL')
      await closed
      // The last line may have been cut off.
      return said
        .split('\n')
        .slice(1, -1)
        .map((line) => JSON.parse(line))
    },
  }
}

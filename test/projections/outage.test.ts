import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { walletHistory } from '../../projections/wallet-history.ts'
import { until } from '../end-to-end/system.ts'
import { portToKeep } from '../port-to-keep.ts'
import { activeAt, append, employ, openWorkplace } from './workplace.ts'

const EMBEDDED = join(import.meta.dirname, '../../scripts/embedded.js')
const WITHIN_MS = 40_000

/** An event store in a process of its own, so that it can fall silent, or die. */
async function startEventStore(t: ExecutionContext, dataDir: string, port: number): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [EMBEDDED, 'eventstore', '--port', String(port), '--data', dataDir], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.teardown(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  return { child, url: line.toString().trim() }
}

async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-outage-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const happened = { type: 'WalletFrozen', data: { walletId: 'w1', reason: '' } }

test.serial('an event store that falls silent is noticed, and read on from the checkpoint when it speaks again', async (t) => {
  const workplace = await openWorkplace(t)
  const database = await workplace.openDatabase()
  const { child, url } = await startEventStore(t, await temporaryFolder(t), 0)
  const log = connectEventLog({ url })
  t.teardown(() => log.close())
  const worker = employ(t, { ...workplace, log }, database, { projections: [walletHistory] })
  await until(() => activeAt(database, walletHistory, -1n), 'the build', WITHIN_MS)
  await append(log, 'wallet-1', [happened])
  const current = () => Date.parse(worker.report().builds[0]?.currentAt ?? '')
  await until(async () => Date.now() - current() < 500, 'the read model to be current', WITHIN_MS)
  child.kill('SIGSTOP')
  await until(async () => Date.now() - current() > 2_000 && worker.report().builds[0]?.failure, 'the silence to be noticed', WITHIN_MS)
  child.kill('SIGCONT')
  const position = await until(() => append(log, 'wallet-1', [happened]).catch(() => undefined), 'the store to speak again', WITHIN_MS)
  const build = await until(() => activeAt(database, walletHistory, position), 'the read model to go on', WITHIN_MS)
  t.true((await database.read(build, 'wallet_history')).length >= 2)
  await until(async () => Date.now() - current() < 500 && worker.report().builds[0]?.failure === null, 'it to be current', WITHIN_MS)
})

test.serial('an event store that dies is read on when it is back', async (t) => {
  const workplace = await openWorkplace(t)
  const database = await workplace.openDatabase()
  const dataDir = await temporaryFolder(t)
  const port = await portToKeep()
  const { child, url } = await startEventStore(t, dataDir, port)
  const log = connectEventLog({ url })
  t.teardown(() => log.close())
  const worker = employ(t, { ...workplace, log }, database, { projections: [walletHistory] })
  const first = await append(log, 'wallet-1', [happened])
  await until(() => activeAt(database, walletHistory, first), 'the build', WITHIN_MS)
  child.kill('SIGKILL')
  await until(async () => worker.report().builds[0]?.failure === 'eventstore does not answer', 'the loss to be noticed', WITHIN_MS)
  await startEventStore(t, dataDir, port)
  const position = await until(() => append(log, 'wallet-1', [happened]).catch(() => undefined), 'the store to be back', WITHIN_MS)
  t.truthy(await until(() => activeAt(database, walletHistory, position), 'the read model to go on', WITHIN_MS))
})

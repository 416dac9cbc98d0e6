import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'ava'
import { RequestTimeout } from '../../domain/ports/messages.ts'
import { startTestSystem } from '../ceremony/system.ts'
import { isSignature } from '../ceremony/verify.ts'
import { type Attempt, askToSign, opened, signRequest } from './direct-signing.ts'

const SCHEME = 'frost-ed25519'

test('a party killed between its claim and its answer gives that answer or none, and never another share', async (t) => {
  const system = await startTestSystem({ parties: 1 })
  t.teardown(system.close)
  const party = system.party('party-1')
  const key = await system.generateKey(await system.createWallet(), { scheme: SCHEME, threshold: 1, parties: [party.id] })
  const sole = { ...key, publicKey: Buffer.from(key.publicKey!, 'hex') }
  await party.kill()
  const start = async (...how: string[]): Promise<ChildProcess> => {
    const args = [join(import.meta.dirname, 'dying-party.js'), system.dir, party.id, system.brokerUrl, ...how]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    await once(child.stdout!, 'data')
    return child
  }

  const dying = await start('dies')
  const attempt: Attempt = { channel: system.channel, key: sole, party: party.id, sessionId: randomUUID(), attempt: 1 }
  const message = randomBytes(32)
  const opening = await opened(attempt)
  const request = signRequest(attempt, opening, message)
  const [, signal] = await Promise.all([
    t.throwsAsync(askToSign(attempt, request, 3_000), { instanceOf: RequestTimeout }),
    once(dying, 'exit').then(([, signal]) => signal),
  ])
  t.is(signal, 'SIGKILL')

  const revived = await start()
  t.like(await askToSign(attempt, request), { type: 'refused', code: 'unknown_ceremony' }, 'the nonces died with the process')
  const reopened = await opened(attempt)
  t.notDeepEqual(reopened.statement.broadcast, opening.statement.broadcast)
  const reply = await askToSign(attempt, request)
  if (reply.type !== 'contributed') return t.fail(JSON.stringify(reply))
  const signature = Buffer.from(reply.contribution).toString('hex')
  t.true(isSignature(SCHEME, key.publicKey!, message, signature), 'the answer that was claimed, over the first nonces')

  const signs = async (of: Attempt, over: Uint8Array) => {
    const answer = await askToSign(of, signRequest(of, await opened(of), over))
    return answer.type === 'refused' ? answer.code : answer.type
  }
  t.is(await signs({ ...attempt, attempt: 2 }, randomBytes(32)), 'signed_already', 'another message in the session')
  t.is(await signs({ ...attempt, attempt: 3 }, message), 'contributed', 'the same message, in a new attempt')
  revived.kill('SIGKILL')
  await once(revived, 'exit')

  await start()
  t.is(await signs(attempt, message), 'signed_already', 'the same attempt over fresh nonces')
})

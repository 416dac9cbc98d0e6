import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'ava'
import type { Opening } from '../../domain/ceremony/opening.ts'
import { RequestTimeout } from '../../domain/ports/messages.ts'
import { askToSign, openingOf } from '../ceremony/by-hand.ts'
import { startTestSystem } from '../ceremony/system.ts'
import { isSignature } from '../ceremony/verify.ts'

const SCHEME = 'frost-ed25519'

test('a party killed between its claim and its answer gives that answer or none, and never another share', async (t) => {
  const system = await startTestSystem({ parties: 1 })
  t.teardown(system.close)
  const party = system.party('party-1')
  const key = await system.generateKey(await system.createWallet(), { scheme: SCHEME, threshold: 1, parties: [party.id] })
  await party.kill()
  const start = async (...how: string[]): Promise<ChildProcess> => {
    const args = [join(import.meta.dirname, 'dying-party.js'), system.dir, party.id, system.brokerUrl, ...how]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    await once(child.stdout!, 'data')
    return child
  }

  const dying = await start('dies')
  const sessionId = randomUUID()
  const message = randomBytes(32)
  const sign = (over: Uint8Array, attempt: number, opening: Opening) =>
    askToSign(system, key, party.id, { sessionId, attempt, message: over, openings: [opening] })
  const opening = await openingOf(system, key, party.id)
  const [, signal] = await Promise.all([
    t.throwsAsync(sign(message, 1, opening), { instanceOf: RequestTimeout }),
    once(dying, 'exit').then(([, signal]) => signal),
  ])
  t.is(signal, 'SIGKILL')

  const revived = await start()
  t.like(await sign(message, 2, opening), { type: 'refused', code: 'opening_unknown' }, 'the nonces died with the process')
  const reply = await sign(message, 1, opening)
  if (reply.type !== 'contributed') return t.fail(JSON.stringify(reply))
  const signature = Buffer.from(reply.contribution).toString('hex')
  t.true(isSignature(SCHEME, key.publicKey!, message, signature), 'the answer that was claimed, over the first nonces')

  const signs = async (attempt: number, over: Uint8Array) => {
    const answer = await sign(over, attempt, await openingOf(system, key, party.id))
    return answer.type === 'refused' ? answer.code : answer.type
  }
  t.is(await signs(3, randomBytes(32)), 'signed_already', 'another message in the session')
  t.is(await signs(4, message), 'contributed', 'the same message, in a new attempt')
  revived.kill('SIGKILL')
  await once(revived, 'exit')

  await start()
  t.is(await signs(1, message), 'signed_already', 'the same attempt over fresh nonces')
})

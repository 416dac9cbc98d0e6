import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { signal, startTestSystem, type TestSystem, until } from './system.ts'

let system: TestSystem
test.before(async () => {
  system = await startTestSystem()
})
test.after.always(() => system?.stop())

test.serial('a second start over the same folder is refused in one line, and leaves the first alone', async (t) => {
  const before = await readFile(join(system.dataDir, 'dev-client.json'), 'utf8')
  const { stderr, code } = (await t.throwsAsync(
    promisify(execFile)(process.execPath, [join(import.meta.dirname, '../../scripts/start.js')], {
      env: { ...process.env, QUORATE_DATA_DIR: system.dataDir, QUORATE_PORT: '0' },
    }),
  )) as Error & { stderr: string; code: number }
  t.is(code, 1)
  t.regex(stderr, /^quorate: another Quorate is at work in .*\n$/)
  t.is(await readFile(join(system.dataDir, 'dev-client.json'), 'utf8'), before)
  t.truthy(await system.client.createWallet('still there'))
})

for (const [name, pattern] of [
  ['the event store', /embedded\.js eventstore/],
  ['the read models', /embedded\.js mongodb/],
  ['the message broker', /message-broker\.js/],
  ['the coordinator', /commands\/processes\/main\.js/],
  ['the projection worker', /projections\/main\.js/],
  ['the API', /http\/main\.js/],
] as const) {
  test.serial(`${name} killed while nothing happens: what was there is there again, and a new signature is made`, async (t) => {
    const { client } = system
    const walletId = await client.createWallet(name)
    const key = await client.generateKey(walletId, 'frost-ed25519', 2, 3)
    const [pid] = await system.processes(pattern)
    signal(pid as number, 'SIGKILL')

    const again = await until(async () => {
      const answer = await fetch(`${system.dev.baseUrl}/v1/wallets/${walletId}`, {
        headers: { authorization: `Bearer ${system.dev.token}` },
      }).catch(() => undefined)
      if (!answer) return undefined
      // Nothing that exists may be said not to exist, however much of the system is gone.
      if (answer.status !== 200 && answer.status !== 503) throw new Error(`answered ${answer.status}: ${await answer.text()}`)
      if (answer.status !== 200) return undefined
      const [successor] = await system.processes(pattern)
      return successor !== undefined && successor !== pid ? answer.json() : undefined
    }, `${name} to be back`)
    t.like(again, { walletId, name })
    await until(async () => (await fetch(`${system.dev.baseUrl}/readyz`)).ok, 'everything to be ready')

    const signed = await until(async () => {
      const request = await client.requestSignature(key.keyId, { kind: 'message', encoding: 'utf8', data: name }).catch(() => undefined)
      return request && (await client.session(request.sessionId).catch(() => undefined))
    }, 'a session after the loss')
    t.is(signed.status, 'signed')
  })
}

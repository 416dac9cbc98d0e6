import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { connect } from 'nats'
import { startNatsServer } from './nats-server.ts'

const server = await startNatsServer({ port: 0 })

const MODULE = new URL('./nats-server.js', import.meta.url).href
/** Starts a server in another process, prints its URL or `undefined`, and stays until it is killed. */
const OTHER_PROCESS = `
  const { startNatsServer } = await import('${MODULE}')
  const server = await startNatsServer({ port: 0 })
  console.log(server?.url)
  if (server) setInterval(() => {}, 60_000)
`

function runElsewhere(env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', OTHER_PROCESS], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  return { child, printed: once(child.stdout, 'data').then(([chunk]) => String(chunk).trim()) }
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await connect({ servers: url, reconnect: false, timeout: 1_000 })).close()
    return true
  } catch {
    return false
  }
}

test('where it is not installed there is none', async (t) => {
  const { child, printed } = runElsewhere({ PATH: '/nonexistent' })
  t.is(await printed, 'undefined')
  child.kill()
})

if (server) {
  test('it answers until it is closed', async (t) => {
    t.true(await answers(server.url))
    await server.close()
    t.false(await answers(server.url))
  })

  test('it ends with the process that started it, even one that is killed', async (t) => {
    const { child, printed } = runElsewhere(process.env)
    const url = await printed
    t.true(await answers(url))
    child.kill('SIGKILL')
    for (let patience = 500; patience > 0 && (await answers(url)); patience--) await sleep(20)
    t.false(await answers(url))
  })

  test('a port that is taken is an error', async (t) => {
    const { port, close } = (await startNatsServer({ port: 0 }))!
    await t.throwsAsync(startNatsServer({ port }), { message: /did not start.*address already in use/ })
    await close()
  })
} else test.skip('nats-server is not on the PATH', () => {})

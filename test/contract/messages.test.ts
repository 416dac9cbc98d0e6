import test from 'ava'
import { startEmbeddedNats } from '../../adapters/embedded/nats/server.ts'
import { startNatsServer } from '../../adapters/nats/nats-server.ts'
import { type RunningServer, testMessages, testOutages } from './messages.ts'

// Both before the first test: ava wants all tests declared in one go.
const embedded = await startEmbeddedNats({ port: 0 })
const installed = await startNatsServer({ port: 0 })

test.after.always(() => embedded.close())
testMessages(test, 'embedded NATS', embedded.url)
testOutages(test, 'embedded NATS', (port) => startEmbeddedNats({ port }))

if (installed) {
  test.after.always(() => installed.close())
  testMessages(test, 'nats-server', installed.url)
  testOutages(test, 'nats-server', async (port) => (await startNatsServer({ port })) as RunningServer)
} else test.skip('nats-server: not on the PATH', () => {})

/** A server that asks for no credentials, for instance that of the compose file. */
const configured = process.env.QUORATE_TEST_NATS_URL
if (configured) testMessages(test, `NATS at ${configured}`, configured)

import test from 'ava'
import { serversOf } from './connect.ts'

test('credentials, clusters and TLS are read from the URL', (t) => {
  t.deepEqual(serversOf('nats://127.0.0.1:4222'), { servers: ['127.0.0.1:4222'] })
  t.deepEqual(serversOf('nats://one:4222, nats://[::1]:4223'), { servers: ['one:4222', '[::1]:4223'] })
  t.deepEqual(serversOf('nats://ann:p%40ss@one,nats://two'), { servers: ['one', 'two'], user: 'ann', pass: 'p@ss' })
  t.deepEqual(serversOf('tls://token@one:4222'), { servers: ['one:4222'], token: 'token', tls: {} })
})

test('a URL that cannot be read is not repeated', (t) => {
  const error = t.throws(() => serversOf('nats://ann:secret@one:port'), { instanceOf: TypeError })
  t.notRegex(JSON.stringify({ ...error, message: error?.message }), /secret/)
})

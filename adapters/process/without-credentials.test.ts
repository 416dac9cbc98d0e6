import test from 'ava'
import { withoutCredentials } from './without-credentials.ts'

test('no part of a name or a password is shown, whatever is in them', (t) => {
  t.is(withoutCredentials('esdb://127.0.0.1:2113?tls=false'), 'esdb://127.0.0.1:2113?tls=false')
  t.is(withoutCredentials('esdb://admin:changeit@a:2113,b:2113?tls=true'), 'esdb://a:2113,b:2113?tls=true')
  for (const password of ['with/slash', 'with@sign', '//', 'a:b'])
    t.is(withoutCredentials(`esdb://admin:${password}@host:2113`), 'esdb://host:2113')
  t.false(withoutCredentials('nats://one:first@a:4222,nats://two:second@b:4222').includes('second'))
})

import { resolve } from 'node:path'
import test from 'ava'
import { InvalidSetting, readSettings, requireUrls } from './settings.ts'

test('everything has a default, and empty means not set', (t) => {
  const settings = readSettings({ QUORATE_PORT: '', QUORATE_EVENTSTORE_URL: ' ' })
  t.like(settings, { port: 8080, host: '127.0.0.1', eventStoreUrl: undefined, jwks: undefined, logLevel: 'info' })
  t.deepEqual(settings.parties, ['party-1', 'party-2', 'party-3', 'party-4', 'party-5'])
})

for (const [name, value] of [
  ['QUORATE_PORT', '80a'],
  ['QUORATE_PORT', '65536'],
  ['QUORATE_PORT', '-1'],
  ['QUORATE_PARTIES', '0'],
  ['QUORATE_EVENTSTORE_URL', 'http://localhost:2113'],
  ['QUORATE_MONGODB_URL', 'localhost'],
  ['QUORATE_NATS_URL', 'localhost:4222'],
  ['QUORATE_LOG_LEVEL', 'loud'],
  ['QUORATE_LOG_ORIGIN', 'my log'],
  ['QUORATE_CHECKPOINT_EVENTS', '0'],
  ['QUORATE_CHECKPOINT_SECONDS', '86401'],
  ['QUORATE_WEBHOOKS_ALLOW_PRIVATE', 'yes'],
  ['QUORATE_WEBHOOKS_RETRY_SECONDS', '5,,10'],
  ['QUORATE_WEBHOOKS_RETRY_SECONDS', '0'],
] as const) {
  test(`${name}=${value} is refused by name`, (t) => {
    t.throws(() => readSettings({ [name]: value }), { instanceOf: InvalidSetting, message: new RegExp(name) })
  })
}

test('tokens from a JWKS need the name of their issuer', (t) => {
  t.throws(() => readSettings({ QUORATE_JWKS_URL: 'https://id.example/jwks' }), { message: /QUORATE_JWT_ISSUER/ })
  const { jwks } = readSettings({ QUORATE_JWKS_URL: 'https://id.example/jwks', QUORATE_JWT_ISSUER: 'https://id.example' })
  t.deepEqual(jwks, { url: 'https://id.example/jwks', issuer: 'https://id.example', audience: 'quorate' })
})

test('the file with the chains is found from anywhere', (t) => {
  t.is(readSettings({}).chainsFile, undefined)
  t.is(readSettings({ QUORATE_CHAINS: 'chains.json' }).chainsFile, resolve('chains.json'))
  t.is(readSettings({}).pricesFile, undefined)
  t.is(readSettings({ QUORATE_PRICES: 'prices.json' }).pricesFile, resolve('prices.json'))
})

test('a process other than the supervisor must be told of its servers', (t) => {
  t.throws(() => requireUrls(readSettings({})), { instanceOf: InvalidSetting, message: /QUORATE_EVENTSTORE_URL/ })
})

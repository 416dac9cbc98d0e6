import { randomUUID } from 'node:crypto'
import { bytesToHex } from '@noble/hashes/utils.js'
import test, { type ExecutionContext } from 'ava'
import { openChains } from '../adapters/chains/registry.ts'
import { startEmbeddedEventStore } from '../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../adapters/eventstore/event-log.ts'
import { verifyJws } from '../adapters/jws/verify-jws.ts'
import { accountStream } from '../domain/account/events.ts'
import { withCurrentEvents } from '../domain/current-events.ts'
import { keyShareStream } from '../domain/key-share/events.ts'
import { type KeyShareCommand, keyShare } from '../domain/key-share/key-share.ts'
import type { RecordedEvent } from '../domain/ports/event-log.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import type { Scheme } from '../domain/threshold/scheme.ts'
import { generateKey } from '../domain/threshold/testing/star.ts'
import { walletStream } from '../domain/wallet/events.ts'
import { DEFAULT_POLICY, keyPolicyOf } from '../domain/wallet/policy.ts'
import { type WalletCommand, wallet } from '../domain/wallet/wallet.ts'
import { type RunningApp, runApp } from '../http/testing/running-app.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { rememberingLog } from './load.ts'
import { openAccount } from './open-account.ts'

const SOLANA = 'solana:localnet'
const BITCOIN = 'bip122:0f9188f13cb7b2c71f2a335e3a4fc328'
const EVM = 'eip155:31337'

/** Made once: what it takes to make a key is not what is tested here. */
const MATERIAL = Object.fromEntries(
  (['frost-ed25519', 'frost-secp256k1-tr', 'dkls23-secp256k1'] as const).map((scheme) => [
    scheme,
    generateKey(protocolOf(scheme), { threshold: 2, parties: 2 }).get(1)!,
  ]),
) as { [S in Scheme]: ReturnType<typeof generateKey> extends Map<number, infer Key> ? Key : never }

type Opened = { accountId: string; address: string; publicKey: string; path: string }
type Side = {
  app: RunningApp
  log: CommandDependencies['log']
  wallet(): Promise<string>
  walletCommand(walletId: string, command: WalletCommand): Promise<unknown>
  key(walletId: string, scheme: Scheme, until?: 'requested' | 'active'): Promise<string>
  keyCommand(keyId: string, command: KeyShareCommand): Promise<unknown>
  open(walletId: string, body: object, idempotencyKey?: string): ReturnType<RunningApp['call']>
  events(stream: string): Promise<RecordedEvent[]>
  restart(): Promise<RunningApp>
}

async function start(t: ExecutionContext): Promise<Side> {
  const store = await startEmbeddedEventStore({ port: 0 })
  const connected = connectEventLog({ url: store.url })
  const log = rememberingLog(withCurrentEvents(connected), { onFailure: (_, error) => t.fail(String(error)) })
  t.teardown(async () => {
    await log.close()
    await store.close()
  })
  const parties = { ids: [], isUp: () => true, health: () => undefined }
  const [chains, nodes, prices] = [await openChains(undefined), new Map(), { usdCents: () => undefined }]
  const dependencies = { log, parties, coordinators: undefined as never, verify: verifyJws, chains, nodes, prices }
  const context = () => {
    const commandId = randomUUID()
    return { commandId, correlationId: commandId, causationId: commandId, actor: 'alice', tenant: 'acme' }
  }
  const authorisation = { method: 'POST', path: '/', body: '', intent: null }
  const side: Side = {
    app: await runApp(t, [openAccount(dependencies)]),
    log,
    async wallet() {
      const walletId = randomUUID()
      const created = { walletId, tenant: 'acme', name: 'n', clientKeys: [], policy: DEFAULT_POLICY }
      await side.walletCommand(walletId, { type: 'CreateWallet', ...created })
      return walletId
    },
    walletCommand: (walletId, command) => execute(log, { decider: wallet, stream: walletStream(walletId) }, () => command, context()),
    async key(walletId, scheme, until = 'active') {
      const keyId = randomUUID()
      const policy = keyPolicyOf({ walletId, clientKeys: [], policy: DEFAULT_POLICY, policyVersion: 1 })
      const request = { keyId, walletId, tenant: 'acme', scheme, threshold: 2, parties: ['p1', 'p2'], authorisation, policy }
      await side.keyCommand(keyId, { type: 'RequestKeyGeneration', ...request })
      if (until === 'requested') return keyId
      await side.keyCommand(keyId, { type: 'StartKeyGeneration', attempt: 1 })
      const { publicKey, publicPackage } = MATERIAL[scheme]
      await side.keyCommand(keyId, {
        type: 'CompleteKeyGeneration',
        attempt: 1,
        confirmations: ['p1', 'p2'].map((partyId) => ({ partyId, packageDigest: '' })),
        publicKey: bytesToHex(publicKey),
        publicPackage: bytesToHex(publicPackage),
      })
      return keyId
    },
    keyCommand: (keyId, command) => execute(log, { decider: keyShare, stream: keyShareStream(keyId) }, () => command, context()),
    open: (walletId, body, idempotencyKey = randomUUID()) =>
      side.app.call('POST', `/v1/wallets/${walletId}/accounts`, { body, headers: { 'idempotency-key': idempotencyKey } }),
    async events(stream) {
      const events: RecordedEvent[] = []
      for await (const event of log.readStream(stream)) events.push(event)
      return events
    },
    restart: () => runApp(t, [openAccount(dependencies)]),
  }
  return side
}

for (const [scheme, chain, address] of [
  ['frost-ed25519', SOLANA, /^[1-9A-HJ-NP-Za-km-z]{32,44}$/],
  ['frost-secp256k1-tr', BITCOIN, /^bcrt1p[02-9ac-hj-np-z]{58}$/],
  ['dkls23-secp256k1', BITCOIN, /^bcrt1q[02-9ac-hj-np-z]{38}$/],
  ['dkls23-secp256k1', EVM, /^0x[0-9a-fA-F]{40}$/],
] as const) {
  test(`${scheme}: an account on ${chain} is the address of the key, or of the one at the path`, async (t) => {
    const side = await start(t)
    const walletId = await side.wallet()
    const keyId = await side.key(walletId, scheme)
    const seen = new Set<string>()
    for (const path of [undefined, 'm/0', 'm/0/5']) {
      const { status, json, headers } = await side.open(walletId, { keyId, chain, ...(path && { path }) })
      t.is(status, 201)
      t.like(json, { walletId, keyId, scheme, chain, path: path ?? 'm' })
      t.regex(json.address, address)
      t.is(headers.get('location'), `/v1/accounts/${json.accountId}`)
      t.truthy(headers.get('quorate-position'))
      if (!path) t.is(json.publicKey, bytesToHex(MATERIAL[scheme].publicKey))
      const [{ type, data, metadata }, ...more] = (await side.events(accountStream(json.accountId))) as [RecordedEvent]
      t.deepEqual(more, [])
      t.is(type, 'AccountOpened')
      t.deepEqual(data, { ...json, tenant: 'acme' })
      t.like(metadata, { actor: 'alice', tenant: 'acme' })
      seen.add(json.address).add(json.accountId)
    }
    t.is(seen.size, 6)
  })
}

test('the same key, chain and path again are the same account, whoever asks, and it is opened once', async (t) => {
  const side = await start(t)
  const walletId = await side.wallet()
  const keyId = await side.key(walletId, 'frost-ed25519')
  const body = { keyId, chain: SOLANA, path: 'm/0' }
  const first = await side.open(walletId, body)
  const again = await Promise.all(Array.from({ length: 8 }, () => side.open(walletId, body)))
  t.is(first.status, 201)
  for (const { status, json, headers } of again) {
    t.is(status, 200)
    t.deepEqual(json, first.json)
    t.is(headers.get('quorate-position'), first.headers.get('quorate-position'))
  }
  t.is((await side.events(accountStream(first.json.accountId))).length, 1)
})

test('of many who open one account at once, one opens it and all are answered alike', async (t) => {
  const side = await start(t)
  const walletId = await side.wallet()
  const keyId = await side.key(walletId, 'frost-ed25519')
  const answers = await Promise.all(Array.from({ length: 20 }, () => side.open(walletId, { keyId, chain: SOLANA })))
  t.deepEqual(answers.map(({ status }) => status).toSorted(), [...new Array(19).fill(200), 201])
  t.is(new Set(answers.map(({ text }) => text)).size, 1)
  t.is((await side.events(accountStream(answers[0]!.json.accountId))).length, 1)
})

test('an idempotency key is for one request, and gets the same answer even of another process', async (t) => {
  const side = await start(t)
  const walletId = await side.wallet()
  const keyId = await side.key(walletId, 'frost-ed25519')
  const body = { keyId, chain: SOLANA }
  const first = await side.open(walletId, body, 'once')
  const other = await side.open(walletId, { ...body, path: 'm/1' }, 'once')
  t.deepEqual([other.status, other.json.code], [422, 'idempotency_key_reused'])
  await side.walletCommand(walletId, { type: 'Freeze', reason: '' })
  const app = await side.restart()
  const authorization = `Bearer ${await app.token()}`
  for (const server of [side.app, app]) {
    const headers = { 'idempotency-key': 'once' }
    const again = await server.call('POST', `/v1/wallets/${walletId}/accounts`, { body, headers, ...(server === app && { authorization }) })
    t.deepEqual([again.status, again.json], [201, first.json])
  }
})

test('accounts leave the stream of their wallet as it was: with hundreds it loads as fast as with none', async (t) => {
  const side = await start(t)
  const walletId = await side.wallet()
  const keyId = await side.key(walletId, 'frost-secp256k1-tr')
  const before = await side.events(walletStream(walletId))
  const ids = new Set<string>()
  for (let batch = 0; batch < 6; batch++) {
    const opened = await Promise.all(
      Array.from({ length: 50 }, (_, index) => side.open(walletId, { keyId, chain: BITCOIN, path: `m/${batch}/${index}` })),
    )
    for (const { status, json } of opened) {
      t.is(status, 201)
      ids.add((json as Opened).accountId)
    }
  }
  t.is(ids.size, 300)
  t.deepEqual(await side.events(walletStream(walletId)), before)
})

test('what cannot be opened is refused with a code, and the field at fault', async (t) => {
  const side = await start(t)
  const walletId = await side.wallet()
  const keyId = await side.key(walletId, 'frost-ed25519')
  const refused = async (body: object, wallet = walletId) => {
    const { status, json } = await side.open(wallet, body)
    return [status, json.code, json.errors?.[0]?.pointer]
  }
  const unfinished = await side.key(walletId, 'frost-ed25519', 'requested')
  const elsewhere = await side.key(await side.wallet(), 'frost-ed25519')
  t.deepEqual(await refused({ keyId, chain: 'eip155:999' }), [422, 'unknown_chain', '/chain'])
  t.deepEqual(await refused({ keyId, chain: 'toString' }), [422, 'unknown_chain', '/chain'])
  t.deepEqual(await refused({ keyId, chain: EVM }), [422, 'scheme_not_supported_by_chain', '/keyId'])
  t.deepEqual(await refused({ keyId, chain: BITCOIN }), [422, 'scheme_not_supported_by_chain', '/keyId'])
  t.deepEqual(await refused({ keyId, chain: SOLANA, path: 'm/2147483648' }), [422, 'path_invalid', '/path'])
  t.deepEqual(await refused({ keyId, chain: SOLANA, path: 'm/00' }), [422, 'path_invalid', '/path'])
  t.deepEqual(await refused({ keyId, chain: SOLANA, path: `m${'/0'.repeat(11)}` }), [422, 'path_invalid', '/path'])
  t.deepEqual(await refused({ keyId, chain: SOLANA, path: "m/0'" }), [422, 'validation_failed', '/path'])
  t.deepEqual(await refused({ keyId: keyId.toUpperCase(), chain: SOLANA }), [422, 'validation_failed', '/keyId'])
  t.deepEqual(await refused({ keyId }), [422, 'validation_failed', '/chain'])
  t.deepEqual(await refused({ keyId, chain: SOLANA, address: 'x' }), [422, 'validation_failed', '/address'])
  t.deepEqual(await refused({ keyId: randomUUID(), chain: SOLANA }), [404, 'key_not_found', undefined])
  t.deepEqual(await refused({ keyId: elsewhere, chain: SOLANA }), [404, 'key_not_found', '/keyId'])
  t.deepEqual(await refused({ keyId: unfinished, chain: SOLANA }), [409, 'key_not_active', undefined])
  t.deepEqual(await refused({ keyId, chain: SOLANA }, randomUUID()), [404, 'wallet_not_found', undefined])
  await side.walletCommand(walletId, { type: 'Freeze', reason: '' })
  t.deepEqual(await refused({ keyId, chain: SOLANA }), [409, 'wallet_frozen', undefined])
})

test('a revoked key opens nothing more', async (t) => {
  const side = await start(t)
  const walletId = await side.wallet()
  const keyId = await side.key(walletId, 'frost-ed25519')
  await side.keyCommand(keyId, { type: 'RevokeKey', reason: '', authorisation: { method: 'POST', path: '/', body: '', intent: null } })
  const { status, json } = await side.open(walletId, { keyId, chain: SOLANA })
  t.deepEqual([status, json.code], [409, 'key_not_active'])
})

test("another tenant's wallet and key do not exist, only clients open accounts, and the platform opens them for their tenant", async (t) => {
  const side = await start(t)
  const walletId = await side.wallet()
  const keyId = await side.key(walletId, 'frost-ed25519')
  const as = async (claims: Parameters<RunningApp['token']>[0]) => {
    const authorization = `Bearer ${await side.app.token(claims)}`
    return side.app.call('POST', `/v1/wallets/${walletId}/accounts`, { body: { keyId, chain: SOLANA }, authorization })
  }
  const foreign = await as({ tenant: 'other' })
  t.deepEqual([foreign.status, foreign.json.code], [404, 'wallet_not_found'])
  t.is((await as({ roles: ['auditor', 'approver', 'operator', 'data'] })).status, 403)
  const { status, json } = await as({ tenant: '*' })
  t.is(status, 201)
  t.like((await side.events(accountStream(json.accountId)))[0], { data: { tenant: 'acme' }, metadata: { tenant: 'acme' } })
})

import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { openChains } from '../adapters/chains/registry.ts'
import { temporaryDataKeys } from '../adapters/data-keys/testing/temporary-keys.ts'
import { startEmbeddedEventStore } from '../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../adapters/eventstore/event-log.ts'
import { verifyJws } from '../adapters/jws/verify-jws.ts'
import { openPrices } from '../adapters/prices/static-table.ts'
import { type AccountCommand, account } from '../domain/account/account.ts'
import { accountStream } from '../domain/account/events.ts'
import { requestDigest } from '../domain/authorisation/request.ts'
import { createSigner, type TestSigner } from '../domain/authorisation/testing/signer.ts'
import { withCurrentEvents } from '../domain/current-events.ts'
import { keyShareStream } from '../domain/key-share/events.ts'
import { type KeyShareCommand, keyShare } from '../domain/key-share/key-share.ts'
import { isSealed } from '../domain/personal-data/sealed.ts'
import type { TransferRules } from '../domain/policy/rules.ts'
import { ChainFailure } from '../domain/ports/chain-node.ts'
import type { DataKeys } from '../domain/ports/data-keys.ts'
import { walletStream } from '../domain/wallet/events.ts'
import { keyPolicyOf, type WalletPolicy } from '../domain/wallet/policy.ts'
import { transferIdOf } from '../domain/wallet/transfers/transfer-id.ts'
import { type ExistingWallet, requireWallet, type WalletCommand, wallet } from '../domain/wallet/wallet.ts'
import { type RunningApp, runApp } from '../http/testing/running-app.ts'
import { accelerateTransfer } from './accelerate-transfer.ts'
import { approveTransfer } from './approve-transfer.ts'
import { cancelTransfer } from './cancel-transfer.ts'
import { changePolicy } from './change-policy.ts'
import { createWallet } from './create-wallet.ts'
import { execute } from './execute.ts'
import { load, rememberingLog } from './load.ts'
import { requestTransfer } from './request-transfer.ts'
import { quotingNode } from './testing/quoting-node.ts'

const CHAIN = 'eip155:31337'
const ETHER = `${CHAIN}/slip44:60`
const TOKEN = `${CHAIN}/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48`
const FROM = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const TO = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const WANTED = { chain: CHAIN, asset: ETHER, to: TO, amount: '1000000000000000000' }
const FEE = 42_000_000_000_000n

const client = createSigner('client')
const [alice, bob] = [createSigner('alice'), createSigner('bob')]

async function start(t: ExecutionContext, dataKeys?: DataKeys) {
  const store = await startEmbeddedEventStore({ port: 0 })
  const connected = connectEventLog({ url: store.url })
  const log = rememberingLog(withCurrentEvents(connected), {
    onFailure: (_, error) => t.fail(String(error)),
    ...(dataKeys && { dataKeys }),
  })
  t.teardown(async () => {
    await log.close()
    await store.close()
  })
  const node = quotingNode(CHAIN, FEE)
  const nodes = new Map([[CHAIN, node]])
  const parties = { ids: [], isUp: () => true, health: () => undefined }
  const [chains, prices] = [await openChains(undefined), await openPrices(undefined)]
  const dependencies = { log, parties, coordinators: undefined as never, verify: verifyJws, chains, nodes, prices }
  const routes = () =>
    [requestTransfer, approveTransfer, cancelTransfer, accelerateTransfer, changePolicy, createWallet].map((each) => each(dependencies))
  const app = await runApp(t, routes())
  const context = () => {
    const commandId = randomUUID()
    return { commandId, correlationId: commandId, causationId: commandId, actor: 'alice', tenant: 'acme' }
  }
  const post = async (
    path: string,
    content: object | string,
    { by = client, key = randomUUID(), to = app, intent = true, authorization }: PostOptions = {},
  ) => {
    const body = typeof content === 'string' ? content : JSON.stringify(content)
    const request = { method: 'POST', path: path.split('?')[0]!, body }
    const signed = intent ? by.authorise(request) : null
    const headers = { 'idempotency-key': key, ...(signed?.intent && { 'quorate-intent': signed.intent }) }
    return { ...(await to.call('POST', path, { body, headers, ...(authorization && { authorization }) })), signed }
  }
  return {
    app,
    log,
    node,
    post,
    restart: () => runApp(t, routes()),
    walletCommand: (walletId: string, command: WalletCommand) =>
      execute(log, { decider: wallet, stream: walletStream(walletId) }, () => command, context()),
    accountCommand: (command: AccountCommand) =>
      execute(log, { decider: account, stream: accountStream(command.accountId) }, () => command, context()),
    keyCommand: (keyId: string, command: KeyShareCommand) =>
      execute(log, { decider: keyShare, stream: keyShareStream(keyId) }, () => command, context()),
    state: async (walletId: string): Promise<ExistingWallet> =>
      requireWallet((await load(log, { decider: wallet, stream: walletStream(walletId) })).state),
  }
}

type PostOptions = { by?: TestSigner; key?: string; to?: RunningApp; intent?: boolean; authorization?: string }
type Side = Awaited<ReturnType<typeof start>>

/** A wallet with a key and an account that has two coins. */
async function funded(side: Side, { transfers, approvals }: { transfers?: TransferRules; approvals?: WalletPolicy['approvals'] } = {}) {
  const [walletId, keyId] = [randomUUID(), randomUUID()]
  const policy: WalletPolicy = { rawDigests: false, ...(transfers && { transfers }), ...(approvals && { approvals }) }
  const clientKeys = [client.key]
  await side.walletCommand(walletId, { type: 'CreateWallet', walletId, tenant: 'acme', name: 'n', clientKeys, policy })
  const authorisation = { method: 'POST', path: '/', body: '', intent: null }
  const sealed = keyPolicyOf({ walletId, clientKeys, policy, policyVersion: 1 })
  await side.keyCommand(keyId, {
    type: 'RequestKeyGeneration',
    ...{
      keyId,
      walletId,
      tenant: 'acme',
      scheme: 'dkls23-secp256k1',
      threshold: 2,
      parties: ['p1', 'p2', 'p3'],
      authorisation,
      policy: sealed,
    },
  })
  await side.keyCommand(keyId, { type: 'StartKeyGeneration', attempt: 1 })
  const confirmations = ['p1', 'p2', 'p3'].map((partyId) => ({ partyId, packageDigest: '' }))
  await side.keyCommand(keyId, { type: 'CompleteKeyGeneration', attempt: 1, confirmations, publicKey: '02', publicPackage: '00' })
  return { walletId, keyId, accountId: await openFunded(side, walletId, keyId), path: `/v1/wallets/${walletId}/transfers` }
}

async function openFunded(side: Side, walletId: string, keyId: string, coins = 2n): Promise<string> {
  const accountId = randomUUID()
  const opened = {
    accountId,
    walletId,
    tenant: 'acme',
    keyId,
    scheme: 'dkls23-secp256k1',
    chain: CHAIN,
    path: 'm',
    publicKey: '02',
    address: FROM,
  }
  await side.accountCommand({ type: 'OpenAccount', ...opened })
  const depositId = `${accountId}:0`
  const found = {
    accountId,
    depositId,
    chain: CHAIN,
    hash: null,
    from: null,
    block: { height: '1', hash: 'b1' },
    source: 'transaction',
  } as const
  await side.walletCommand(walletId, { type: 'DetectDeposit', ...found, asset: ETHER, amount: String(coins * 10n ** 18n) })
  await side.walletCommand(walletId, { type: 'CreditDeposit', depositId, confirmations: 1 })
  return accountId
}

const problem = ({ status, json }: { status: number; json: { code: string; errors?: { pointer: string }[] } }) => [
  status,
  json.code,
  json.errors?.[0]?.pointer,
]

test('a transfer is asked for by an intent, whose transfer it is', async (t) => {
  const side = await start(t)
  const { walletId, accountId, path } = await funded(side)
  const { status, json, headers, signed } = await side.post(path, {
    ...WANTED,
    to: TO.toLowerCase(),
    memo: 'rent',
    publicMemo: 'invoice 7',
  })
  t.is(status, 202)
  const { jti } = JSON.parse(Buffer.from(signed!.intent!.split('.')[1]!, 'base64url').toString())
  t.deepEqual(json, { transferId: transferIdOf(walletId, { kid: 'client', jti }) })
  t.is(headers.get('location'), `/v1/transfers/${json.transferId}`)
  t.truthy(headers.get('quorate-position'))
  const state = await side.state(walletId)
  t.like(state.transfers[json.transferId], {
    ...{
      accountId,
      chain: CHAIN,
      asset: ETHER,
      to: TO,
      address: FROM,
      amount: WANTED.amount,
      fee: 'normal',
      memo: 'rent',
      publicMemo: 'invoice 7',
      status: 'submitted',
    },
    ...{ quotedFee: String(FEE), feeAsset: ETHER, usdCents: '333000', authorisation: signed },
  })
  t.like(side.node.asked[0], { asset: ETHER, to: TO, amount: 10n ** 18n, fee: 'normal', maxFee: null, memo: 'invoice 7' })
})

test('the same idempotency key is the same transfer, with another intent and at another process, too', async (t) => {
  const side = await start(t)
  const { walletId, path } = await funded(side)
  const first = await side.post(path, WANTED, { key: 'once' })
  const restarted = await side.restart()
  for (const to of [side.app, restarted]) {
    const authorization = `Bearer ${await to.token()}`
    const again = await side.post(path, WANTED, { key: 'once', to, authorization })
    t.deepEqual([again.status, again.json], [202, first.json])
    const other = await side.post(path, { ...WANTED, amount: '1' }, { key: 'once', to, authorization })
    t.deepEqual([other.status, other.json.code], [422, 'idempotency_key_reused'])
  }
  t.is(Object.keys((await side.state(walletId)).transfers).length, 1)
  t.is(side.node.asked.length, 1)
})

test('of many at once none counts on the funds of another', async (t) => {
  const side = await start(t)
  const { walletId, path } = await funded(side)
  const answers = await Promise.all(Array.from({ length: 40 }, () => side.post(path, { ...WANTED, amount: String(10n ** 17n) })))
  const accepted = answers.filter(({ status }) => status === 202)
  t.is(accepted.length, 19)
  t.true(answers.every(({ status, json }) => status === 202 || json.code === 'insufficient_funds'))
  t.is(new Set(accepted.map(({ json }) => json.transferId)).size, 19)
  t.is(Object.keys((await side.state(walletId)).transfers).length, 19)
})

test('bad input has a code of its own, and names the field', async (t) => {
  const side = await start(t)
  const { walletId, keyId, path } = await funded(side)
  const refused = async (changes: object) => problem(await side.post(path, { ...WANTED, ...changes }))
  t.deepEqual(await refused({ to: TO.replace('C51812', 'c51812') }), [422, 'address_checksum_wrong', '/to'])
  t.deepEqual(await refused({ to: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4' }), [422, 'address_malformed', '/to'])
  t.deepEqual(await refused({ chain: 'eip155:999' }), [422, 'unknown_chain', '/chain'])
  t.deepEqual(await refused({ chain: 'eip155:1', asset: 'eip155:1/slip44:60' }), [422, 'chain_not_connected', '/chain'])
  t.deepEqual(await refused({ asset: 'eip155:1/slip44:60' }), [422, 'asset_unknown', '/asset'])
  t.deepEqual(await refused({ asset: `${CHAIN}/erc20:0x00` }), [422, 'address_malformed', '/asset'])
  t.deepEqual(await refused({ asset: TOKEN }), [422, 'insufficient_funds', '/amount'])
  t.deepEqual(await refused({ amount: '0' }), [422, 'amount_zero', '/amount'])
  t.deepEqual(await refused({ amount: '-1' }), [422, 'amount_negative', '/amount'])
  t.deepEqual(await refused({ amount: '1.5' }), [422, 'amount_fractional', '/amount'])
  t.deepEqual(await refused({ amount: '1e18' }), [422, 'amount_malformed', '/amount'])
  t.deepEqual(await refused({ amount: '007' }), [422, 'amount_malformed', '/amount'])
  t.deepEqual(await refused({ amount: '' }), [422, 'amount_malformed', '/amount'])
  t.deepEqual(await refused({ amount: String(2n ** 256n) }), [422, 'amount_too_large', '/amount'])
  t.deepEqual(await refused({ amount: 5 }), [422, 'validation_failed', '/amount'])
  t.deepEqual(await refused({ amount: String(2n * 10n ** 18n) }), [422, 'insufficient_funds', '/amount'])
  t.deepEqual(await refused({ maxFee: '1' }), [422, 'fee_too_high', '/maxFee'])
  t.deepEqual(await refused({ maxFee: '-1' }), [422, 'amount_negative', '/maxFee'])
  t.deepEqual(await refused({ fee: 'free' }), [422, 'validation_failed', '/fee'])
  t.deepEqual(await refused({ memo: 'a\u202eb' }), [422, 'validation_failed', undefined])
  t.deepEqual(await refused({ psbt: 'QR==' }), [422, 'validation_failed', undefined])
  t.deepEqual(await refused({ psbt: 'QUJD' }), [422, 'psbt_not_supported', '/psbt'])
  t.deepEqual(await refused({ accountId: randomUUID() }), [404, 'account_not_found', '/accountId'])
  t.deepEqual(await refused({ more: 1 }), [422, 'validation_failed', '/more'])
  t.deepEqual(problem(await side.post(path, JSON.stringify(WANTED).replace('{', '{"amount":"1",'))), [400, 'malformed_json', undefined])
  t.deepEqual(problem(await side.post(path, WANTED, { intent: false })), [401, 'intent_missing', undefined])
  t.deepEqual(problem(await side.post(path, WANTED, { by: alice })), [401, 'intent_unknown_key', undefined])
  t.deepEqual(problem(await side.post(path.replace(walletId, randomUUID()), WANTED)), [404, 'wallet_not_found', undefined])
  const elsewhere = await funded(side)
  t.deepEqual(await refused({ accountId: elsewhere.accountId }), [404, 'account_not_found', '/accountId'])
  const second = await openFunded(side, walletId, keyId)
  t.deepEqual(await refused({}), [422, 'account_ambiguous', '/accountId'])
  t.is((await side.post(path, { ...WANTED, accountId: second })).status, 202)
  t.is(Object.keys((await side.state(walletId)).transfers).length, 1)
})

test('a token that is none is called so, though no account is named and none has any of it', async (t) => {
  const side = await start(t)
  const { path } = await funded(side)
  side.node.answer(new ChainFailure('asset_unknown', 'no token', true))
  t.deepEqual(problem(await side.post(path, { ...WANTED, asset: TOKEN })), [422, 'asset_unknown', '/asset'])
})

for (const [code, expected] of [
  ['dust', [422, 'dust', '/amount']],
  ['address_kind_not_supported', [422, 'address_kind_not_supported', '/to']],
  ['memo_not_supported', [422, 'memo_not_supported', '/publicMemo']],
  ['account_closed', [422, 'account_closed', '/asset']],
  ['asset_unknown', [422, 'asset_unknown', '/asset']],
  ['insufficient_funds', [422, 'insufficient_funds', '/amount']],
  ['reverted', [422, 'transfer_would_revert', '/to']],
  ['funds_locked', [409, 'funds_locked', '/amount']],
  ['chain_unavailable', [503, 'chain_unavailable', '/chain']],
  ['transaction_rejected', [422, 'transaction_rejected', undefined]],
] as const) {
  test(`what the chain answers with ${code} is refused, and nothing is reserved`, async (t) => {
    const side = await start(t)
    const { walletId, path } = await funded(side)
    side.node.answer(new ChainFailure(code, 'no', true))
    t.deepEqual(problem(await side.post(path, WANTED)), [...expected])
    t.deepEqual((await side.state(walletId)).transfers, {})
  })
}

test('a fee beyond what policy and chain allow is refused, whatever the client would pay', async (t) => {
  const side = await start(t)
  const { path } = await funded(side)
  side.node.answer(2n * 10n ** 17n)
  t.deepEqual(problem(await side.post(path, WANTED)), [422, 'fee_too_high', '/fee'])
  t.is((await side.post(path, { ...WANTED, maxFee: String(3n * 10n ** 17n) })).status, 202)
  const bound = await funded(side, { transfers: { fees: [{ id: 'gas', chain: CHAIN, atMost: '1000' }] } })
  t.deepEqual(problem(await side.post(bound.path, { ...WANTED, maxFee: String(3n * 10n ** 17n) })), [422, 'fee_too_high', '/maxFee'])
})

test('a frozen wallet and a revoked key move nothing', async (t) => {
  const side = await start(t)
  const frozen = await funded(side)
  await side.walletCommand(frozen.walletId, { type: 'Freeze', reason: '' })
  t.deepEqual(problem(await side.post(frozen.path, WANTED)), [409, 'wallet_frozen', undefined])
  const revoked = await funded(side)
  await side.keyCommand(revoked.keyId, {
    type: 'RevokeKey',
    reason: '',
    authorisation: { method: 'POST', path: '/', body: '', intent: null },
  })
  t.deepEqual(problem(await side.post(revoked.path, WANTED)), [409, 'key_not_active', undefined])
})

test('what the policy denies names its rule', async (t) => {
  const side = await start(t)
  const { path } = await funded(side, {
    transfers: { limits: [{ id: 'per-transfer', atMost: { usd: '1000' } }], destinations: { deny: [`${CHAIN}:${FROM}`] } },
  })
  const large = await side.post(path, WANTED)
  t.deepEqual(problem(large), [422, 'policy_denied', '/amount'])
  t.like(large.json.errors[0], { rule: 'per-transfer', detail: 'per-transfer: 3330.00 USD is more than 1000.00 USD' })
  t.like((await side.post(path, { ...WANTED, amount: '1000', to: FROM })).json.errors[0], { rule: 'destinations.deny', pointer: '/to' })
})

test('a dry run tells what would be decided, needs no intent, and does nothing', async (t) => {
  const side = await start(t)
  const tier = { id: 'large', above: { usd: '1000' }, signers: 3, approvals: 1, delaySeconds: 60 }
  const { walletId, accountId, path } = await funded(side, {
    transfers: { tiers: [tier], limits: [{ id: 'most', atMost: { usd: '5000' } }], approvers: [alice.key, bob.key] },
  })
  const before = await side.state(walletId)
  const { status, json } = await side.post(`${path}?dryRun=true`, WANTED, { intent: false })
  t.is(status, 200)
  t.like(json, { accountId, from: FROM, quotedFee: String(FEE), feeAsset: ETHER, usdCents: '333000' })
  t.like(json.decision, { outcome: 'allowed' })
  t.like(json.requires, { approvals: { required: 1, approvers: ['alice', 'bob'] }, signers: 3 })
  t.true(Date.parse(json.requires.notBefore) > Date.now())
  t.deepEqual(
    json.decision.findings.map(({ rule, outcome }: { rule: string; outcome: string }) => [rule, outcome]),
    [
      ['most', 'passed'],
      ['large', 'required'],
    ],
  )
  const denied = await side.post(`${path}?dryRun=true`, { ...WANTED, amount: String(19n * 10n ** 17n) }, { intent: false })
  t.deepEqual([denied.status, denied.json.decision.outcome], [200, 'denied'])
  t.deepEqual(problem(await side.post(`${path}?dryRun=true`, { ...WANTED, amount: '0' }, { intent: false })), [
    422,
    'amount_zero',
    '/amount',
  ])
  t.deepEqual(await side.state(walletId), before)
})

test('a transfer waits for the approvers of its tier, who sign for this very request, which is stored sealed', async (t) => {
  const side = await start(t, (await temporaryDataKeys(t)).keys)
  const tiers = [{ id: 'large', above: { usd: '1000' }, approvals: 2 }]
  const { walletId, path } = await funded(side, { transfers: { tiers, approvers: [alice.key, bob.key] } })
  const small = await side.post(path, { ...WANTED, amount: '1000' })
  t.is((await side.state(walletId)).transfers[small.json.transferId]?.status, 'submitted')
  const { json, signed } = await side.post(path, WANTED)
  const approvals = `/v1/transfers/${json.transferId}/approvals`
  const digest = requestDigest(signed!)
  const approve = (by: TestSigner, more = {}) => side.post(approvals, { decision: 'approve', ...more }, { by })
  t.deepEqual(problem(await approve(client)), [403, 'approval_by_stranger', undefined])
  t.deepEqual(problem(await approve(alice, { requestDigest: digest.replace(/./, (digit) => (digit === '0' ? '1' : '0')) })), [
    403,
    'request_mismatch',
    '/requestDigest',
  ])
  t.like(await approve(alice, { requestDigest: digest }), { status: 200, json: { status: 'pending_approval' } })
  const { authorisation, approvedBy } = (await side.state(walletId)).transfers[json.transferId]!
  t.true([authorisation, ...approvedBy].every(isSealed))
  t.like(await approve(bob), { status: 200, json: { status: 'queued' } })
  t.deepEqual(problem(await approve(bob)), [409, 'transfer_not_pending_approval', undefined])
  t.deepEqual(problem(await side.post(`/v1/transfers/${randomUUID()}/approvals`, { decision: 'approve' }, { by: bob })), [
    404,
    'transfer_not_found',
    undefined,
  ])
})

test('one approver too many against it ends it, and its funds are there again', async (t) => {
  const side = await start(t)
  const { walletId, accountId, path } = await funded(side, { approvals: { required: 2, approvers: [alice.key, bob.key] } })
  const { json } = await side.post(path, WANTED)
  t.like(await side.post(`/v1/transfers/${json.transferId}/approvals`, { decision: 'reject' }, { by: alice }), {
    status: 200,
    json: { status: 'rejected' },
  })
  t.deepEqual((await side.state(walletId)).funds[accountId]?.[ETHER], { settled: String(2n * 10n ** 18n), reserved: '0', pending: '0' })
})

test('a client cancels before anything is built, and asks for a replacement afterwards', async (t) => {
  const side = await start(t)
  const { walletId, path } = await funded(side)
  const { json } = await side.post(path, { ...WANTED, amount: '1000' })
  const at = `/v1/transfers/${json.transferId}`
  t.deepEqual(problem(await side.post(`${at}/cancel`, {}, { by: alice })), [401, 'intent_unknown_key', undefined])
  t.deepEqual(problem(await side.post(`${at}/accelerate`, { fee: 'high' })), [409, 'transfer_out_of_order', undefined])
  t.like(await side.post(`${at}/cancel`, {}), { status: 200, json: { status: 'cancelled' } })
  t.deepEqual(problem(await side.post(`${at}/cancel`, {})), [409, 'transfer_terminal', undefined])

  const sent = (await side.post(path, { ...WANTED, amount: '1000' })).json.transferId
  const now = new Date().toISOString()
  await side.walletCommand(walletId, { type: 'AllocateNonce', transferId: sent, observed: '0', now })
  const built = {
    unsigned: 'AA==',
    hashOfUnsigned: 'h',
    fee: String(FEE),
    conflicts: [`nonce:${FROM}:0`],
    validity: null,
    sessionIds: ['s'],
    replaces: null,
  }
  await side.walletCommand(walletId, { type: 'BuildTransfer', transferId: sent, as: 'transfer', now, ...built })
  await side.walletCommand(walletId, { type: 'SignTransfer', transferId: sent, version: 1, raw: 'AA==', hash: '0x1' })
  const accelerated = await side.post(`/v1/transfers/${sent}/accelerate`, { fee: 'high', maxFee: '5' })
  t.is(accelerated.status, 202)
  t.like((await side.state(walletId)).transfers[sent]?.replacement, {
    as: 'acceleration',
    fee: 'high',
    maxFee: '5',
    authorisation: accelerated.signed,
  })
  t.deepEqual(problem(await side.post(`/v1/transfers/${sent}/cancel`, {})), [409, 'replacement_under_way', undefined])
  await side.walletCommand(walletId, { type: 'FailReplacement', transferId: sent, code: 'fee_too_high' })
  t.deepEqual(problem(await side.post(`/v1/transfers/${sent}/cancel`, { more: 1 })), [422, 'validation_failed', '/more'])

  // Whoever asked is a client no more: what was asked for can be undone, and not be asked for again.
  const fresh = createSigner('fresh')
  t.is((await side.post(`/v1/wallets/${walletId}/policy`, { policy: {}, clientKeys: [fresh.key] })).status, 202)
  const replaced = await side.post(`/v1/transfers/${sent}/accelerate`, { fee: 'high' }, { by: fresh })
  t.deepEqual(problem(replaced), [409, 'request_of_replaced_key', undefined])
  t.like(await side.post(`/v1/transfers/${sent}/cancel`, { maxFee: '9' }, { by: fresh }), { status: 202, json: { status: 'signed' } })
  t.like((await side.state(walletId)).transfers[sent]?.replacement, { as: 'cancellation', maxFee: '9' })
})

test("another tenant's transfers do not exist", async (t) => {
  const side = await start(t)
  const { path } = await funded(side)
  const { json } = await side.post(path, WANTED)
  const authorization = `Bearer ${await side.app.token({ tenant: 'other' })}`
  t.deepEqual(problem(await side.post(path, WANTED, { authorization })), [404, 'wallet_not_found', undefined])
  for (const [what, body] of [
    ['approvals', { decision: 'approve' }],
    ['cancel', {}],
    ['accelerate', { fee: 'high' }],
  ] as const)
    t.deepEqual(problem(await side.post(`/v1/transfers/${json.transferId}/${what}`, body, { authorization })), [
      404,
      'transfer_not_found',
      undefined,
    ])
})

test('rules for transfers are read strictly, when a wallet is made and when its policy is changed', async (t) => {
  const side = await start(t)
  const { walletId } = await funded(side)
  const { d: _, ...jwk } = client.key as typeof client.key & { d?: string }
  const tried = async (transfers: object) => {
    const made = await side.post('/v1/wallets', { name: 'n', clientKeys: [jwk], policy: { transfers } }, { intent: false })
    const changed = await side.post(`/v1/wallets/${walletId}/policy`, { policy: { transfers } })
    t.deepEqual(problem(made), problem(changed))
    return problem(made)
  }
  const at = '/policy/transfers'
  t.deepEqual(await tried({ limit: [] }), [422, 'transfer_rules_invalid', `${at}/limit`])
  t.deepEqual(await tried({ limits: [{ id: 'a', atMost: { usd: '1.5' } }] }), [422, 'transfer_rules_invalid', `${at}/limits/0/atMost/usd`])
  t.deepEqual(await tried({ limits: [{ id: 'a', atMost: { asset: 'eip155:999/slip44:60', amount: '1' } }] }), [
    422,
    'unknown_chain',
    `${at}/limits/0/atMost/asset`,
  ])
  t.deepEqual(await tried({ destinations: { allow: [`${CHAIN}:${TO.toLowerCase()}`] } }), [
    422,
    'transfer_rules_invalid',
    `${at}/destinations/allow/0`,
  ])
  t.deepEqual(await tried({ destinations: { deny: [`${CHAIN}:0x00`] } }), [422, 'address_malformed', `${at}/destinations/deny/0`])
  t.deepEqual(await tried({ tiers: [{ id: 'a', above: { usd: '1' }, approvals: 2 }], approvers: [alice.key] }), [
    422,
    'approvals_invalid',
    `${at}/tiers/0/approvals`,
  ])
  t.is(
    (await side.post(`/v1/wallets/${walletId}/policy`, { policy: { transfers: { destinations: { allow: [`${CHAIN}:${TO}`] } } } })).status,
    202,
  )
  t.deepEqual((await side.state(walletId)).policy.transfers, { destinations: { allow: [`${CHAIN}:${TO}`] } })
})

import { randomUUID } from 'node:crypto'
import { bytesToHex } from '@noble/hashes/utils.js'
import { Transaction } from '@scure/btc-signer/transaction.js'
import test from 'ava'
import { family } from '../adapters/chains/bitcoin/family.ts'
import { NETWORKS } from '../adapters/chains/bitcoin/networks.ts'
import { writePsbt } from '../adapters/chains/bitcoin/psbt.ts'
import { coinsOf, spenderOf } from '../adapters/chains/bitcoin/testing/spender.ts'
import type { JsonObject } from '../domain/ports/event-log.ts'
import { sessionIdOf } from '../domain/signing-session/session-id.ts'
import { historyId } from '../projections/wallet-history.ts'
import { type ReadSide, sessionFields, startReadSide, walletFields } from './testing/read-side.ts'

// One after another: each starts servers of its own, and many starts at once take longer than a client waits for one.

const AT = '2026-01-01T00:00:00.000Z'
const ETHER = 'eip155:31337/slip44:60'

const transferFields = (walletId: string, place: bigint, changes: JsonObject = {}): JsonObject & { transferId: string } => ({
  transferId: randomUUID(),
  walletId,
  tenant: 'acme',
  accountId: randomUUID(),
  keyId: randomUUID(),
  chain: 'eip155:31337',
  asset: ETHER,
  from: '0x01',
  to: '0x02',
  amount: '5',
  fee: 'normal',
  feeAsset: ETHER,
  quotedFee: '21',
  status: 'submitted',
  decision: { outcome: 'allowed', findings: [], requires: {} },
  approvals: null,
  granted: [],
  refused: [],
  signers: 2,
  transactions: [],
  place: historyId(place),
  deadline: AT,
  createdAt: AT,
  updatedAt: AT,
  revision: 4,
  ...changes,
})

async function projectWallet({ project }: ReadSide): Promise<string> {
  const wallet = walletFields()
  await project('wallets', wallet.walletId, wallet)
  return wallet.walletId
}

test.serial('transfers are listed the newest first, page by page, and by their status', async (t) => {
  const side = await startReadSide(t)
  const walletId = await projectWallet(side)
  const ids: string[] = []
  for (let place = 1n; place <= 5n; place++) {
    const transfer = transferFields(walletId, place, { status: place % 2n === 0n ? 'finalized' : 'stuck' })
    ids.unshift(transfer.transferId)
    await side.project('transfers', transfer.transferId, transfer)
  }
  const list = async (query: string) => {
    const { json } = await side.app.call('GET', `/v1/wallets/${walletId}/transfers?minPosition=${side.position()}${query}`)
    return json as { items: { transferId: string }[]; nextCursor: string | null }
  }
  const first = await list('&limit=3')
  const second = await list(`&limit=3&cursor=${first.nextCursor}`)
  t.deepEqual(
    [...first.items, ...second.items].map(({ transferId }) => transferId),
    ids,
  )
  t.is(second.nextCursor, null)
  const finalized = await list('&status=finalized')
  t.deepEqual(
    finalized.items.map(({ transferId }) => transferId),
    [ids[1], ids[3]],
  )
  const { status } = await side.app.call('GET', `/v1/wallets/${walletId}/transfers?status=lost`)
  t.is(status, 400)
})

test.serial('who waits for a confirmation is answered with it, and who waits for the end goes on waiting', async (t) => {
  const side = await startReadSide(t)
  const walletId = await projectWallet(side)
  const transfer = transferFields(walletId, 1n, { status: 'broadcasting' })
  await side.project('transfers', transfer.transferId, transfer)
  const wait = (until: string) =>
    side.app.call('GET', `/v1/transfers/${transfer.transferId}?until=${until}`, { headers: { prefer: 'wait=20' } })
  let hasEnded = false
  const ended = wait('ended').then((answer) => {
    hasEnded = true
    return answer
  })
  const confirmed = wait('confirmed')
  await side.project('transfers', transfer.transferId, { ...transfer, status: 'confirmed' })
  t.is(((await confirmed).json as { status: string }).status, 'confirmed')
  t.false(hasEnded)
  await side.project('transfers', transfer.transferId, { ...transfer, status: 'finalized' })
  t.is(((await ended).json as { status: string }).status, 'finalized')
})

test.serial('a transfer is found under its wallet too, and under no other', async (t) => {
  const side = await startReadSide(t)
  const [walletId, other] = [await projectWallet(side), await projectWallet(side)]
  const transfer = transferFields(walletId, 1n, { status: 'broadcasting' })
  await side.project('transfers', transfer.transferId, transfer)
  const at = `minPosition=${side.position()}`
  const direct = await side.app.call('GET', `/v1/transfers/${transfer.transferId}?${at}`)
  const under = (wallet: string) =>
    side.app.call('GET', `/v1/wallets/${wallet}/transfers/${transfer.transferId}?${at}`, { headers: { prefer: 'wait=1' } })
  const { status, json } = await under(walletId)
  t.is(status, 200)
  t.deepEqual(json, direct.json)
  const begun = Date.now()
  t.like(await under(other), { status: 404, json: { code: 'transfer_not_found' } })
  t.true(Date.now() - begun < 900, 'what is not there is not waited for')
})

test.serial('balances are exact whatever their size, and say what is owed', async (t) => {
  const side = await startReadSide(t)
  const walletId = await projectWallet(side)
  const balance = { walletId, accountId: randomUUID(), asset: ETHER, tenant: 'acme', updatedAt: AT, revision: 1 }
  // 10^30 + 7, of which 5 are reserved; and 3, of which 5 are.
  const much = { ...balance, settled: { 0: 7, 5: 1 }, reserved: { 0: 5 } }
  const owing = { ...balance, settled: { 0: 3 }, reserved: { 0: 5 }, pending: { 0: 1 } }
  await side.project('balances', 'a1', much)
  await side.project('balances', 'a2', owing)
  const { json } = await side.app.call('GET', `/v1/wallets/${walletId}/balances?minPosition=${side.position()}`)
  t.like(json, {
    items: [
      { chain: 'eip155:31337', asset: ETHER, available: String(10n ** 30n + 2n), reserved: '5', pending: '0' },
      { available: '0', reserved: '5', pending: '1', owed: '2' },
    ],
  })
  t.false('owed' in (json as { items: object[] }).items[0]!)
})

test.serial("another tenant's transfers and balances are not there", async (t) => {
  const side = await startReadSide(t)
  const walletId = await projectWallet(side)
  const transfer = transferFields(walletId, 1n)
  await side.project('transfers', transfer.transferId, transfer)
  const paths = [
    `/v1/transfers/${transfer.transferId}`,
    `/v1/wallets/${walletId}/transfers/${transfer.transferId}`,
    `/v1/wallets/${walletId}/transfers`,
    `/v1/wallets/${walletId}/balances`,
  ]
  for (const path of paths) {
    const as = async (tenant: string, role: 'client' | 'auditor' | 'operator' | 'data') => {
      const authorization = `Bearer ${await side.app.token({ tenant, roles: [role] })}`
      return (await side.app.call('GET', `${path}?minPosition=${side.position()}`, { authorization })).status
    }
    t.is(await as('acme', 'client'), 200, path)
    t.is(await as('acme', 'auditor'), 200, path)
    t.is(await as('other', 'client'), 404, path)
    t.is(await as('acme', 'operator'), 403, path)
    t.is(await as('acme', 'data'), 403, path)
  }
})

const GENESIS = '000000000019d6689c085ae165831e93'

test.serial(
  'a transaction is had as a PSBT with the signatures that there are, of whichever version, by those who may see the transfer',
  async (t) => {
    const side = await startReadSide(t)
    const walletId = await projectWallet(side)
    const codec = await family.chain(GENESIS)!.transactions()
    const { sender, script, sign } = spenderOf(NETWORKS[GENESIS]!, 'dkls23-secp256k1')
    const unsigned = writePsbt({ inputs: coinsOf({ sender, script, sign }, [5_000n, 6_000n]), outputs: [{ script, amount: 10_000n }] })
    const made = codec.messages(unsigned, sender).map(sign)
    const transfer = transferFields(walletId, 1n, { chain: `bip122:${GENESIS}`, from: sender.address })
    const { transferId } = transfer
    const built = (version: number) => ({
      version,
      as: 'transfer',
      sessionIds: [0, 1].map((index) => sessionIdOf(transferId, version, index)),
    })
    const project = (changes: JsonObject) => side.project('transfers', transferId, { ...transfer, ...changes })
    const projectSession = (sessionId: string, changes: JsonObject) => {
      const payload = { kind: 'transaction', unsigned: Buffer.from(unsigned).toString('base64') }
      const publicKey = bytesToHex(sender.publicKey)
      const session = { ...sessionFields(transfer.keyId as string, walletId), scheme: sender.scheme, publicKey, payload, ...changes }
      return side.project('signing_sessions', sessionId, { ...session, sessionId })
    }
    const signed = (index: number) => ({ status: 'signed', signature: bytesToHex(made[index]!.signature) })
    const psbt = async (query = '', caller?: Parameters<typeof side.app.call>[2]) =>
      (await side.app.call('GET', `/v1/transfers/${transferId}/psbt?minPosition=${side.position()}${query}`, caller)).json as {
        code: string
        state: string
        version: number
        psbt: string
      }

    await project({})
    t.is((await psbt()).code, 'transfer_not_built')
    await project({ transactions: [built(1)] })
    t.is((await psbt()).code, 'transfer_not_built', 'nobody was asked to sign it')
    for (const index of [0, 1]) await projectSession(sessionIdOf(transferId, 1, index), { status: 'failed' })
    t.like(await psbt(), { state: 'unsigned', version: 1, psbt: Buffer.from(unsigned).toString('base64') })
    await projectSession(sessionIdOf(transferId, 1, 0, 2), signed(0))
    await projectSession(sessionIdOf(transferId, 1, 1, 2), {})
    t.like(await psbt(), { state: 'partially_signed' })
    await projectSession(sessionIdOf(transferId, 1, 1, 2), signed(1))
    const final = await psbt()
    t.is(final.state, 'final')
    t.deepEqual(Transaction.fromPSBT(Buffer.from(final.psbt, 'base64')).extract(), codec.attach(unsigned, sender, made).raw)
    await project({ transactions: [built(1), built(2)] })
    t.is((await psbt()).code, 'transfer_not_built')
    t.deepEqual(await psbt('&version=1'), final)
    t.is((await psbt('&version=3')).code, 'transfer_not_built')
    const stranger = { authorization: `Bearer ${await side.app.token({ tenant: 'globex', roles: ['client'] })}` }
    t.is((await psbt('&version=1', stranger)).code, 'transfer_not_found')

    const other = transferFields(walletId, 2n)
    await side.project('transfers', other.transferId, other)
    const { json } = await side.app.call('GET', `/v1/transfers/${other.transferId}/psbt?minPosition=${side.position()}`)
    t.is((json as { code: string }).code, 'psbt_not_supported')
  },
)

test.serial('what was sealed under a key that is damaged is not shown, and all that is beside it is', async (t) => {
  const side = await startReadSide(t)
  const walletId = await projectWallet(side)
  const memos = [await side.dataKeys.seal(walletId, 'memo', '"rent"'), await side.dataKeys.seal(walletId, 'name', '"of another field"')]
  for (const [n, memo] of memos.entries()) {
    const transfer = transferFields(walletId, BigInt(n + 1), { memo })
    await side.project('transfers', transfer.transferId, transfer)
  }
  const { status, json, headers } = await side.app.call('GET', `/v1/wallets/${walletId}/transfers?minPosition=${side.position()}`)
  t.is(status, 200)
  t.deepEqual(
    json.items.map(({ memo, unreadable, erased }: { memo?: string; unreadable?: true; erased?: true }) => [memo, unreadable, erased]),
    [
      [undefined, true, undefined],
      ['rent', undefined, undefined],
    ],
  )
  t.regex(headers.get('etag')!, /-unreadable/)
})

test.serial('memos, and the requests that approvers are shown, are opened when they are read, and gone once they are erased', async (t) => {
  const side = await startReadSide(t)
  const { dataKeys } = side
  const walletId = await projectWallet(side)
  const asked = { method: 'POST', path: `/v1/wallets/${walletId}/transfers`, body: '{"memo":"rent"}' }
  const sealed = {
    memo: await dataKeys.seal(walletId, 'memo', '"rent"'),
    request: await dataKeys.seal(walletId, 'authorisation', JSON.stringify({ ...asked, intent: 'signed' })),
  }
  const transfer = transferFields(walletId, 1n, sealed)
  await side.project('transfers', transfer.transferId, transfer)
  const old = transferFields(walletId, 2n, { memo: 'from before', request: asked })
  await side.project('transfers', old.transferId, old)

  const one = `/v1/transfers/${transfer.transferId}?minPosition=${side.position()}`
  const list = `/v1/wallets/${walletId}/transfers`
  const shown = await side.app.call('GET', one)
  t.deepEqual([shown.json.memo, shown.json.request, shown.json.erased], ['rent', asked, undefined])
  const listed = await side.app.call('GET', list)
  t.deepEqual(
    listed.json.items.map(({ memo, request }: { memo: string; request: object }) => [memo, request]),
    [
      ['from before', asked],
      ['rent', asked],
    ],
  )

  await dataKeys.eraseBefore(walletId, await dataKeys.renew(walletId))
  const etagOf = ({ headers }: { headers: Headers }) => headers.get('etag')!
  const erased = await side.app.call('GET', one, { headers: { 'if-none-match': etagOf(shown) } })
  t.deepEqual([erased.status, erased.json.memo, erased.json.request, erased.json.erased], [200, undefined, undefined, true])
  const after = await side.app.call('GET', list, { headers: { 'if-none-match': etagOf(listed) } })
  t.deepEqual(
    after.json.items.map(({ memo, erased }: { memo?: string; erased?: true }) => [memo, erased]),
    [
      ['from before', undefined],
      [undefined, true],
    ],
  )
})

import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { MongoClient } from 'mongodb'
import { requestDigestOf } from '../../http/idempotency.ts'
import { signIntent } from '../../scripts/client/intent.ts'
import { readEndpoints } from '../../scripts/supervisor/endpoints.ts'
import { auditorOf } from './auditor.ts'
import { startTestSystem, type TestSystem, until } from './system.ts'

process.env.QUORATE_CHECKPOINT_SECONDS = '1'

const NAME = 'Augusta Ada King-Noel'
const REASONS = ['Countess Lovelace is ill', 'Countess Lovelace is well again', 'Lovelace and Babbage have parted']

let system: TestSystem
test.before(async () => {
  system = await startTestSystem({ parties: 2 })
})
test.after.always(() => system?.stop())

type Wallet = { name: string | null; erased?: boolean }
type History = { items: { type: string; data: { name?: string | null; reason?: string | null }; erased?: boolean; position: string }[] }

async function post(path: string, body: object): Promise<string> {
  const { dev } = system
  const bytes = Buffer.from(JSON.stringify(body))
  const response = await fetch(dev.baseUrl + path, {
    method: 'POST',
    body: bytes,
    headers: {
      authorization: `Bearer ${dev.token}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
      'quorate-intent': await signIntent(dev, 'POST', path, bytes),
    },
  })
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
  return response.headers.get('quorate-position') ?? ''
}

/** All that is kept of a system, and all that it gives to others, by where it is. */
async function* everything(): AsyncGenerator<[place: string, bytes: Buffer]> {
  const files = await readdir(system.dataDir, { recursive: true, withFileTypes: true })
  for (const file of files.filter((each) => each.isFile())) {
    const path = join(file.parentPath, file.name)
    yield [path, await readFile(path)]
  }
  const mongo = await MongoClient.connect((await readEndpoints(system.dataDir))!.mongodb)
  try {
    for (const { name } of await mongo.db('quorate').listCollections().toArray())
      yield [`collection ${name}`, Buffer.from(JSON.stringify(await mongo.db('quorate').collection(name).find().toArray()))]
  } finally {
    await mongo.close()
  }
  const authorization = `Bearer ${system.dev.token}`
  for (const path of ['/v1/events?limit=200', '/v1/streams/events?follow=false', '/v1/streams/wallets?follow=false', '/metrics']) {
    const response = await fetch(system.dev.baseUrl + path, { headers: { authorization } })
    if (!response.ok) throw new Error(`${response.status} from ${path}`)
    yield [path, Buffer.from(await response.arrayBuffer())]
  }
  yield ['archive', Buffer.from(await system.run('audit', '--source', 'archive', '--format', 'ndjson'))]
}

/** The text as it is, and what of it is the same in any base64 that it is part of. */
function formsOf(text: string): Buffer[] {
  const inBase64 = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)]).toString('base64')
    return encoded.replace(/=+$/, '').slice(shift === 0 ? 0 : 4, -2)
  })
  return [text, JSON.stringify(text).slice(1, -1), ...inBase64].map((form) => Buffer.from(form))
}

const isIn = (bytes: Buffer, text: string) => formsOf(text).some((form) => bytes.includes(form))

test('what is about people is nowhere to be read but by who may, and after its erasure by nobody, while every proof holds', async (t) => {
  const { answered, inFolder, keep, verified } = auditorOf(system)
  const { client } = system
  const walletId = await client.createWallet(NAME)
  await post(`/v1/wallets/${walletId}/freeze`, { reason: REASONS[0] })
  await post(`/v1/wallets/${walletId}/unfreeze`, { reason: REASONS[1] })
  const { keyId } = await client.generateKey(walletId, 'frost-ed25519', 2, 2)
  const position = await post(`/v1/keys/${keyId}/revoke`, { reason: REASONS[2] })

  await until(async () => {
    const files = await readdir(join(system.dataDir, 'parties'), { recursive: true })
    return files.filter((file) => file.endsWith(`${keyId}/revoked`)).length === 2
  }, 'both parties to have been shown the revocation')

  const wallet = `/v1/wallets/${walletId}`
  const before = await client.get<Wallet>(`${wallet}?minPosition=${position}`)
  t.is(before.name, NAME)
  t.false('erased' in before)
  const history = await until(async () => {
    const { items } = await client.get<History>(`${wallet}/history?limit=200`)
    return items.some(({ type }) => type === 'KeyRevoked') && items
  }, 'the revocation in the history')
  t.deepEqual(
    history.map(({ data }) => data.reason).filter((reason) => reason !== undefined),
    REASONS.toReversed(),
  )
  t.is((await client.get<Wallet>(`${wallet}?asOf=${position}`)).name, NAME)
  t.is((await client.get<{ wallet: Wallet }>(`${wallet}/audit`)).wallet.name, NAME)
  const replayed = async () => (JSON.parse(await system.run('replay', '--wallet', walletId)) as { wallet: Wallet }).wallet.name
  t.is(await replayed(), NAME)
  const created = `wallet-${walletId}@0`
  const proof = await answered<{ checkpoint: string }>(`/v1/proofs/inclusion?event=${created}`)
  const [, size] = proof.checkpoint.split('\n')
  await system.run('archive')
  // Who knows all but the reason could try reasons, if requests were known by their digests.
  const guess = requestDigestOf('POST', `${wallet}/freeze`, Buffer.from(JSON.stringify({ reason: REASONS[0] })))
  const [mentioning, telling]: [string[], string[]] = [[], []]
  for await (const [place, bytes] of everything()) {
    if (isIn(bytes, walletId)) mentioning.push(place)
    if ([NAME, ...REASONS, guess].some((text) => isIn(bytes, text))) telling.push(place)
    if (place.startsWith('/v1/streams')) t.false(bytes.includes('"sealed"'), place)
  }
  for (const place of [/eventstore/, /^collection wallets/, /^collection wallet_history/, /^.v1.events/, /^.v1.streams/, /^archive$/])
    t.true(
      mentioning.some((each) => place.test(each)),
      `${place}`,
    )
  t.deepEqual(telling, [])

  const since = await post(`${wallet}/erase`, { reason: 'data_subject_request' })
  const erased = { name: null, erased: true }
  t.like(await client.get<Wallet>(wallet), erased)
  t.like(await client.get<Wallet>(`${wallet}?asOf=${position}`), erased)
  t.is((await client.get<{ wallet: Wallet }>(`${wallet}/audit`)).wallet.name, null)
  t.is(await replayed(), null)
  const { items } = await client.get<History>(`${wallet}/history?limit=200&minPosition=${since}`)
  const told = items.filter(({ data }) => 'reason' in data || 'name' in data)
  t.deepEqual(
    told.map(({ type, data: { name, reason }, erased }) => [type, reason === undefined ? name : reason, erased]),
    [
      ['PersonalDataErased', 'data_subject_request', undefined],
      ['KeyRevoked', null, true],
      ['WalletUnfrozen', null, true],
      ['WalletFrozen', null, true],
      ['WalletCreated', null, true],
    ],
  )

  t.deepEqual(await answered(`/v1/proofs/inclusion?event=${created}&size=${size}`), proof)
  await system.run('archive')
  const archived = await verified('--archive', inFolder('archive'))
  t.is(archived.code, 0, archived.said)
  const proved = await verified('--proof', await keep('proof.json', `/v1/proofs/inclusion?event=${created}`))
  t.is(proved.code, 0, proved.said)

  const last = await post(`${wallet}/freeze`, { reason: 'everything goes on' })
  const [newest] = (await client.get<History>(`${wallet}/history?limit=1&minPosition=${last}`)).items
  t.like(newest, { type: 'WalletFrozen', data: { reason: 'everything goes on' } })
})

import test from 'ava'
import { signIntent } from '../../scripts/client/intent.ts'
import { auditorOf } from './auditor.ts'
import { system } from './shared-system.ts'
import { until } from './system.ts'

type Item = { position: string; type: string; stream: string; data: { walletId?: string } }

test.serial('the log is read in pages, by wallet, type and moment', async (t) => {
  const { answered, historyOf, sign } = auditorOf(system)
  const { walletId } = await sign()
  const steps = await historyOf(walletId)
  const all: Item[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: { items: Item[]; nextCursor: string | null } = await answered(
      `/v1/events?wallet=${walletId}&limit=3${cursor && `&cursor=${cursor}`}`,
    )
    t.true(page.items.length <= 3)
    all.push(...page.items)
    cursor = page.nextCursor
  }
  t.true(steps.every(({ stream, type }) => all.some((event) => event.stream === stream && event.type === type)))
  t.true(all.every(({ data }) => data.walletId === walletId))
  t.deepEqual(
    all.map(({ position }) => BigInt(position)),
    all.map(({ position }) => BigInt(position)).sort((one, other) => (one < other ? -1 : 1)),
  )
  const { items } = await answered<{ items: Item[] }>(
    `/v1/events?type=WalletCreated,SignatureProduced&wallet=${walletId}&from=${all[0]!.position}`,
  )
  t.deepEqual(
    items.map(({ type }) => type),
    ['WalletCreated', 'SignatureProduced'],
  )
  t.deepEqual((await answered<{ items: Item[] }>(`/v1/events?to=${BigInt(all[0]!.position) - 1n}&wallet=${walletId}`)).items, [])
})

test.serial('a wallet is told as it was, and audited by its events', async (t) => {
  const { answered, historyOf, sign } = auditorOf(system)
  const { walletId } = await sign()
  const steps = await historyOf(walletId)
  const attached = steps.find(({ type }) => type === 'KeyAttached') as unknown as { position: string }
  const now = await answered<{ keyIds: string[] }>(`/v1/wallets/${walletId}`)
  t.is(now.keyIds.length, 1)
  t.deepEqual((await answered<{ keyIds: string[] }>(`/v1/wallets/${walletId}?asOf=${BigInt(attached.position) - 1n}`)).keyIds, [])
  t.deepEqual((await answered<{ keyIds: string[] }>(`/v1/wallets/${walletId}?asOf=${attached.position}`)).keyIds, now.keyIds)
  t.like(await answered(`/v1/wallets/${walletId}/balances?asOf=${new Date().toISOString()}`), { items: [], nextCursor: null })
  const audit = await answered<{ digest: string; sessions: { status: string }[] }>(`/v1/wallets/${walletId}/audit`)
  t.deepEqual(
    audit.sessions.map(({ status }) => status),
    ['signed'],
  )
  t.regex(audit.digest, /^[0-9a-f]{64}$/)
  // Of a wallet that has just signed more may be told between the two.
  await until(async () => {
    const { events } = await answered<{ events: number }>(`/v1/wallets/${walletId}/audit`)
    const { items } = await answered<{ items: Item[] }>(`/v1/events?wallet=${walletId}&limit=200`)
    return events === items.length
  }, 'the audit to be of all events that there are')
})

test.serial('a policy is told as it is and as it was', async (t) => {
  const { answered } = auditorOf(system)
  const { client, dev } = system
  const walletId = await client.createWallet('with a policy')
  const path = `/v1/wallets/${walletId}/policy`
  const before = await answered<{ position: string }>(path)
  t.like(before, { walletId, version: 1, policy: { rawDigests: false } })
  const body = Buffer.from(JSON.stringify({ policy: { rawDigests: true } }))
  const intent = await signIntent(dev, 'POST', path, body)
  const headers = { authorization: `Bearer ${dev.token}`, 'content-type': 'application/json', 'quorate-intent': intent }
  const changed = await fetch(dev.baseUrl + path, { method: 'POST', headers, body })
  t.is(changed.status, 202)
  const after = await answered<{ position: string }>(`${path}?minPosition=${changed.headers.get('quorate-position')}`)
  t.like(after, { version: 2, policy: { rawDigests: true } })
  t.deepEqual(await answered(`${path}?asOf=${before.position}`), before)
  t.deepEqual(await answered(`${path}?asOf=${after.position}`), after)
})

test.serial('a wallet, its key and its session are replayed alone, with the digest that the API gives', async (t) => {
  const { answered, sign } = auditorOf(system)
  const { walletId } = await sign()
  const audit = await answered<{ position: string; digest: string; keys: { keyId: string }[]; sessions: { sessionId: string }[] }>(
    `/v1/wallets/${walletId}/audit`,
  )
  const replay = async (...args: string[]) => JSON.parse(await system.run('replay', ...args, '--source', 'log'))
  // What the parties say after the signature may come in meanwhile.
  t.like(await replay('--wallet', walletId, '--as-of', audit.position), { digest: audit.digest })
  const [{ keyId }, { sessionId }] = [audit.keys[0]!, audit.sessions[0]!]
  t.like(await replay('--key-id', keyId), { key: { keyId, status: 'active' } })
  const session = await replay('--session', sessionId, '--as-of', '0', '--until', '2100-01-01').catch((error: Error) => error)
  t.regex(String(session), /no such/)
  t.like(await replay('--session', sessionId), { session: { sessionId, status: 'signed' } })
})

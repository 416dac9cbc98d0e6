import test from 'ava'
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

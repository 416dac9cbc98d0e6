import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import type { CeremonyReply, CeremonyRequest, Header } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import type { Asked } from '../domain/ports/party-channel.ts'
import type { Ceremony } from './ceremony.ts'
import { type CeremonyTableOptions, createCeremonyTable } from './ceremony-table.ts'

const request: CeremonyRequest = { type: 'proceed', heard: { statements: [], secrets: [] } }

function asked(round: number, { ceremonyId = 'one', content = 0, attempt = 1 } = {}): Asked {
  const header: Header = { scheme: 'frost-ed25519', kind: 'signing', ceremonyId, attempt, round, from: 'coordinator', to: 'party-1' }
  return { id: '', header, request, digest: Uint8Array.of(content) }
}

const said = (byte: number): CeremonyReply => ({
  type: 'contributed',
  contribution: Uint8Array.of(byte),
  transcript: new Uint8Array(32),
  broadcast: null,
})

/** Ceremonies of three rounds that count how often they work; the second round waits for `gate`. */
function startTable(options: Partial<CeremonyTableOptions> = {}, gate: Promise<void> = Promise.resolve()) {
  const worked: string[] = []
  const destroyed: string[] = []
  const table = createCeremonyTable({
    async begin({ header }): Promise<Ceremony> {
      const { ceremonyId } = header
      let round = 1
      worked.push(`${ceremonyId} 1`)
      return {
        opening: said(1),
        destroy: () => destroyed.push(ceremonyId),
        async next() {
          await gate
          round++
          worked.push(`${ceremonyId} ${round}`)
          return { reply: said(round), done: round === 3 }
        },
      }
    },
    refusalOf: (error) => (error instanceof Refusal ? error : new Refusal('internal', 'failed')),
    ...options,
  })
  return { table, worked, destroyed }
}

test('the same request is answered the same and worked on once, also while it is being worked on and after the end', async (t) => {
  const { table, worked } = startTable()
  for (const round of [1, 2, 3]) {
    const answers = await Promise.all([table.answer(asked(round)), table.answer(asked(round))])
    t.deepEqual(answers, [said(round), said(round)])
    t.deepEqual(await table.answer(asked(round)), said(round))
  }
  t.deepEqual(await table.answer(asked(1)), said(1))
  t.deepEqual(worked, ['one 1', 'one 2', 'one 3'])
})

test('a round asked for in other words is refused, and the ceremony goes on', async (t) => {
  const { table } = startTable()
  await table.answer(asked(1))
  t.like(await table.answer(asked(1, { content: 1 })), { type: 'refused', code: 'conflicting_request' })
  await table.answer(asked(2))
  t.like(await table.answer(asked(2, { content: 1 })), { type: 'refused', code: 'conflicting_request' })
  t.deepEqual(await table.answer(asked(3)), said(3))
})

test('rounds of a ceremony that is not under way, out of order, or after the end are refused', async (t) => {
  const { table } = startTable()
  t.like(await table.answer(asked(2)), { type: 'refused', code: 'unknown_ceremony' })
  await table.answer(asked(1))
  t.like(await table.answer(asked(3)), { type: 'refused', code: 'round_out_of_order' })
  await table.answer(asked(2))
  await table.answer(asked(3))
  t.like(await table.answer(asked(4)), { type: 'refused', code: 'unknown_ceremony' })
})

test('a round is not begun while the one before it is still worked on', async (t) => {
  let open = () => {}
  const { table } = startTable({}, new Promise<void>((resolve) => (open = resolve)))
  await table.answer(asked(1))
  const second = table.answer(asked(2))
  t.like(await table.answer(asked(3)), { type: 'refused', code: 'round_out_of_order' })
  open()
  t.deepEqual(await second, said(2))
  t.deepEqual(await table.answer(asked(3)), said(3))
})

test('a first round that was refused may be asked for again; a later one ends the ceremony', async (t) => {
  let failing = true
  const destroyed: number[] = []
  const { table } = startTable({
    async begin() {
      if (failing) throw new Refusal('share_unreadable', 'not now')
      return {
        opening: said(1),
        destroy: () => destroyed.push(1),
        next: async () => {
          throw new Refusal('protocol_abort', 'bad', ['party-2'])
        },
      }
    },
  })
  t.like(await table.answer(asked(1)), { code: 'share_unreadable' })
  t.is(table.open, 0)
  failing = false
  t.deepEqual(await table.answer(asked(1)), said(1))
  const refusal = { type: 'refused', code: 'protocol_abort', culprits: ['party-2'] } as const
  t.like(await table.answer(asked(2)), refusal)
  t.like(await table.answer(asked(2)), refusal)
  t.like(await table.answer(asked(3)), { code: 'unknown_ceremony' })
  t.is(table.open, 0)
  t.deepEqual(destroyed, [1])
})

test('more ceremonies than the bound are refused as busy, until one is over', async (t) => {
  const { table } = startTable({ maxOpen: 2 })
  await table.answer(asked(1, { ceremonyId: 'a' }))
  await table.answer(asked(1, { ceremonyId: 'b' }))
  t.like(await table.answer(asked(1, { ceremonyId: 'c' })), { type: 'refused', code: 'busy' })
  await table.answer(asked(2, { ceremonyId: 'a' }))
  await table.answer(asked(3, { ceremonyId: 'a' }))
  t.deepEqual(await table.answer(asked(1, { ceremonyId: 'c' })), said(1))
})

test('only so many ended ceremonies are remembered', async (t) => {
  const { table } = startTable({ maxRemembered: 1 })
  for (const ceremonyId of ['a', 'b']) for (const round of [1, 2, 3]) await table.answer(asked(round, { ceremonyId }))
  t.like(await table.answer(asked(3, { ceremonyId: 'a' })), { code: 'unknown_ceremony' })
  t.deepEqual(await table.answer(asked(3, { ceremonyId: 'b' })), said(3))
})

test('a ceremony that nobody goes on with is wiped and forgotten', async (t) => {
  const { table, destroyed } = startTable({ expireAfterMs: 20 })
  await table.answer(asked(1))
  t.is(table.open, 1)
  while (table.open > 0) await delay(5)
  t.deepEqual(destroyed, ['one'])
  t.like(await table.answer(asked(2)), { code: 'unknown_ceremony' })
})

test('closing wipes everything that is under way', async (t) => {
  const { table, destroyed } = startTable()
  await table.answer(asked(1, { ceremonyId: 'a' }))
  await table.answer(asked(1, { ceremonyId: 'b' }))
  table.close()
  t.deepEqual(destroyed, ['a', 'b'])
  t.is(table.open, 0)
})

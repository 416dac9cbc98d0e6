import { randomBytes } from 'node:crypto'
import test from 'ava'
import { hpkeSealing } from '../adapters/hpke/sealing.ts'
import type { CeremonyAttempt, Heard, Statement } from '../domain/ceremony/messages.ts'
import type { KeyMaterial, RandomBytes } from '../domain/threshold/protocol.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { type Conversation, converse, type Said } from './conversation.ts'

const PARTIES = ['alice', 'bob', 'carol']
const attempt: CeremonyAttempt = { scheme: 'frost-ed25519', kind: 'key-generation', ceremonyId: 'key-1', attempt: 1 }
const rng: RandomBytes = (length) => new Uint8Array(randomBytes(length))
const context = new TextEncoder().encode('key-1')

function start(at: (id: string) => CeremonyAttempt = () => attempt): Map<string, Conversation<KeyMaterial>> {
  return new Map(
    PARTIES.map((self, index) => {
      const participant = protocolOf(attempt.scheme).keyGeneration({ self: index + 1, threshold: 2, parties: 3, context, rng })
      return [self, converse({ attempt: at(self), self, parties: PARTIES, participant, sealing: hpkeSealing })]
    }),
  )
}

const openings = (conversations: Map<string, Conversation<KeyMaterial>>) =>
  new Map([...conversations].map(([id, { opening }]) => [id, opening]))

function heardBy(to: string, said: Map<string, Said>): Heard {
  return {
    statements: [...said].map(([from, { statement }]) => ({ from, statement })),
    secrets: [...said].flatMap(([from, { secrets }]) =>
      secrets.filter((secret) => secret.to === to).map(({ sealed }) => ({ from, sealed })),
    ),
  }
}

/** One round; what a party hears may be changed on the way. */
async function round(
  conversations: Map<string, Conversation<KeyMaterial>>,
  said: Map<string, Said>,
  change: (heard: Heard, to: string) => Heard = (heard) => heard,
): Promise<Map<string, Said>> {
  const next = new Map<string, Said>()
  for (const [to, conversation] of conversations) {
    const answer = await conversation.hear(change(heardBy(to, said), to))
    if (answer.type === 'said') next.set(to, answer)
  }
  return next
}

function restate(heard: Heard, from: string, change: (statement: Statement) => Statement): Heard {
  return { ...heard, statements: heard.statements.map((each) => (each.from === from ? { from, statement: change(each.statement) } : each)) }
}

test('all come to the same key, and only what is sealed differs between what is sent to each', async (t) => {
  const conversations = start()
  const second = await round(conversations, openings(conversations))
  t.deepEqual(
    second.get('alice')!.secrets.map(({ to }) => to),
    ['bob', 'carol'],
  )
  const third = await round(conversations, second)
  const keys = await Promise.all(PARTIES.map((id) => conversations.get(id)!.hear(heardBy(id, third))))
  const publicKeys = keys.map((key) => (key.type === 'done' ? Buffer.from(key.result.publicKey).toString('hex') : 'none'))
  t.is(new Set(publicKeys).size, 1)
  t.false(publicKeys.includes('none'))
})

test('who is told another sealing key for somebody than the others cannot open what they seal', async (t) => {
  const conversations = start()
  const stranger = hpkeSealing.generateKeyPair().publicKey
  const second = await round(conversations, openings(conversations), (heard, to) =>
    to === 'alice' ? restate(heard, 'bob', (statement) => ({ ...statement, sealingKey: stranger })) : heard,
  )
  const error = await t.throwsAsync(conversations.get('alice')!.hear(heardBy('alice', second)))
  t.like(error, { code: 'protocol_abort' })
  t.regex(error.message, /^equivocation/)

  // Nor does it help to hide from her what the others have heard.
  const again = start()
  const forged = await round(again, openings(again), (heard, to) =>
    to === 'alice' ? restate(heard, 'bob', (statement) => ({ ...statement, sealingKey: stranger })) : heard,
  )
  const { transcript } = forged.get('alice')!.statement
  const heard = heardBy('alice', forged)
  const agreeable = PARTIES.reduce((each, from) => restate(each, from, (statement) => ({ ...statement, transcript })), heard)
  t.like(await t.throwsAsync(again.get('alice')!.hear(agreeable)), { code: 'protocol_abort', culprits: ['bob'] })
})

test('what was sealed in one ceremony opens in no other attempt, and from nobody else', async (t) => {
  const swapped = start()
  const second = await round(swapped, openings(swapped))
  const heard = heardBy('carol', second)
  const [fromAlice, fromBob] = heard.secrets
  const crossed = {
    ...heard,
    secrets: [
      { from: 'alice', sealed: fromBob!.sealed },
      { from: 'bob', sealed: fromAlice!.sealed },
    ],
  }
  t.like(await t.throwsAsync(swapped.get('carol')!.hear(crossed)), { code: 'protocol_abort', culprits: ['alice'] })

  const apart = start((id) => (id === 'carol' ? { ...attempt, attempt: 2 } : attempt))
  const said = await round(apart, openings(apart))
  const { transcript } = said.get('carol')!.statement
  const agreeable = PARTIES.reduce(
    (each, from) => restate(each, from, (statement) => ({ ...statement, transcript })),
    heardBy('carol', said),
  )
  t.like(await t.throwsAsync(apart.get('carol')!.hear(agreeable)), { code: 'protocol_abort', culprits: ['alice'] })
})

test('a participant whose own words were changed on the way, its sealing key included, stops', async (t) => {
  for (const change of [
    (statement: Statement) => ({ ...statement, sealingKey: hpkeSealing.generateKeyPair().publicKey }),
    (statement: Statement) => ({ ...statement, broadcast: statement.broadcast.slice(1) }),
  ]) {
    const conversations = start()
    const heard = restate(heardBy('alice', openings(conversations)), 'alice', change)
    const error = await t.throwsAsync(conversations.get('alice')!.hear(heard))
    t.regex(error.message, /^message_altered/)
  }
})

test('strangers, and those who speak twice, are not listened to', async (t) => {
  for (const extra of ['dave', 'bob']) {
    const conversations = start()
    const heard = heardBy('alice', openings(conversations))
    const crowded = { ...heard, statements: [...heard.statements, { ...heard.statements[1]!, from: extra }] }
    t.like(await t.throwsAsync(conversations.get('alice')!.hear(crowded)), { code: 'malformed' })
  }
})

test('after a failure nothing more is said', async (t) => {
  const conversations = start()
  const said = openings(conversations)
  const alice = conversations.get('alice')!
  await t.throwsAsync(alice.hear({ statements: [], secrets: [] }))
  t.like(await t.throwsAsync(alice.hear(heardBy('alice', said))), { code: 'protocol_abort' })
})

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import test from 'ava'
import { hpkeSealing } from '../adapters/hpke/sealing.ts'
import { softwareKey } from '../adapters/identity/party-identity.ts'
import { publicKeyOf } from '../adapters/identity/raw-key.ts'
import { verifyIdentity } from '../adapters/identity/verify.ts'
import type { CeremonyAttempt, Heard, Statement } from '../domain/ceremony/messages.ts'
import { type Said, signSecret, signStatement } from '../domain/ceremony/statements.ts'
import type { Registry } from '../domain/ports/identity.ts'
import type { Incoming, KeyMaterial, Participant, PartyIndex, RandomBytes } from '../domain/threshold/protocol.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { type Conversation, converse } from './conversation.ts'
import { numberedFromOne } from './participants.ts'

const PARTIES = ['alice', 'bob', 'carol']
const attempt: CeremonyAttempt = { scheme: 'frost-ed25519', kind: 'key-generation', ceremonyId: 'key-1', attempt: 1 }
const rng: RandomBytes = (length) => new Uint8Array(randomBytes(length))
const context = new TextEncoder().encode('key-1')

type Conversations = Map<string, Conversation<KeyMaterial>>

const identities = new Map(PARTIES.map((id) => [id, identify(id)]))
const registry: Registry = { parties: new Map([...identities].map(([id, { keys }]) => [id, keys])), coordinators: new Map() }
const witness = { registry, verify: verifyIdentity }

function identify(id: string) {
  const signing = softwareKey(generateKeyPairSync('ed25519').privateKey)
  const { privateKey: sealingKey } = generateKeyPairSync('x25519')
  return {
    identity: { id, ...signing },
    sealing: hpkeSealing(sealingKey),
    keys: { signing: signing.publicKey, sealing: publicKeyOf(sealingKey) },
  }
}

type Told = { attempt: CeremonyAttempt; context: Uint8Array; registry: Registry }

/** Conversations of all; somebody may have been told something else at the beginning than the others. */
async function start(told: (id: string) => Partial<Told> = () => ({})): Promise<Conversations> {
  const begun = PARTIES.map(async (self, index) => {
    const { identity, sealing } = identities.get(self)!
    const { registry: known = registry, ...other } = told(self)
    const conversation = await converse({
      attempt,
      context,
      ...other,
      participants: numberedFromOne(PARTIES),
      participant: protocolOf(attempt.scheme).keyGeneration({ self: index + 1, threshold: 2, parties: 3, context, rng }),
      voice: { identity, sealing, verify: verifyIdentity, registry: known },
    })
    return [self, conversation] as const
  })
  return new Map(await Promise.all(begun))
}

const openings = (conversations: Conversations) => new Map([...conversations].map(([id, { opening }]) => [id, opening]))

function heardBy(to: string, said: Map<string, Said>): Heard {
  return {
    statements: [...said].map(([from, { statement }]) => ({ from, statement })),
    secrets: [...said].flatMap(([from, { secrets }]) =>
      secrets.filter((secret) => secret.to === to).map(({ sealed, signature }) => ({ from, sealed, signature })),
    ),
  }
}

/** One round; what a party hears may be changed on the way. */
async function round(
  conversations: Conversations,
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
  const conversations = await start()
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

/** What a party says, said anew by itself. */
async function restated(heard: Heard, from: string, round: number, change: (statement: Statement) => Partial<Statement>): Promise<Heard> {
  const { statement } = heard.statements.find((each) => each.from === from)!
  const anew = await signStatement(identities.get(from)!.identity, { ...attempt, round }, { ...statement, ...change(statement) })
  return restate(heard, from, () => anew)
}

const stranger = identify('stranger')

test('what a party has not signed convicts nobody but the carrier', async (t) => {
  const changes: ((statement: Statement) => Partial<Statement>)[] = [
    () => ({ sealingKey: stranger.keys.sealing }),
    ({ broadcast }) => ({ broadcast: broadcast.slice(1) }),
    () => ({ sealingKey: null }),
    () => ({ transcript: new Uint8Array(32) }),
    () => ({ signature: new Uint8Array(64) }),
  ]
  for (const from of ['alice', 'bob'])
    for (const change of changes) {
      const conversations = await start()
      const heard = restate(heardBy('alice', openings(conversations)), from, (statement) => ({ ...statement, ...change(statement) }))
      const error = await t.throwsAsync(conversations.get('alice')!.hear(heard))
      t.like(error, { code: 'carrier_forged', culprits: [] })
    }
})

test('what was said in another round, attempt or ceremony, or by somebody else, is not taken for said here', async (t) => {
  const elsewhere: Partial<CeremonyAttempt & { round: number }>[] = [
    { round: 2 },
    { attempt: 2 },
    { ceremonyId: 'key-2' },
    { kind: 'signing' },
    { scheme: 'frost-secp256k1-tr' },
  ]
  for (const at of elsewhere) {
    const conversations = await start()
    const heard = heardBy('alice', openings(conversations))
    const { statement } = heard.statements[1]!
    const other = await signStatement(identities.get('bob')!.identity, { ...attempt, round: 1, ...at }, statement)
    t.like(await t.throwsAsync(conversations.get('alice')!.hear(restate(heard, 'bob', () => other))), { code: 'carrier_forged' })
  }
  const conversations = await start()
  const heard = heardBy('alice', openings(conversations))
  const { statement } = heard.statements[2]!
  t.like(await t.throwsAsync(conversations.get('alice')!.hear(restate(heard, 'bob', () => statement))), { code: 'carrier_forged' })
})

test('who was told something else of the ceremony, or knows others under these names, goes no further', async (t) => {
  const parties = new Map([
    ...registry.parties,
    ['carol', { signing: registry.parties.get('carol')!.signing, sealing: stranger.keys.sealing }],
  ])
  for (const told of [{ context: new TextEncoder().encode('key-1, but another threshold') }, { registry: { ...registry, parties } }]) {
    const conversations = await start((id) => (id === 'carol' ? told : {}))
    for (const id of ['alice', 'carol']) {
      const error = await t.throwsAsync(conversations.get(id)!.hear(heardBy(id, openings(conversations))))
      t.like(error, { code: 'protocol_abort', culprits: [] })
      t.regex(error.message, /^equivocation/)
    }
  }
})

test('who was shown another first statement of somebody, though signed, is found out in the second round', async (t) => {
  const conversations = await start()
  const first = openings(conversations)
  const second = new Map<string, Said>()
  for (const [to, conversation] of conversations) {
    const heard = heardBy(to, first)
    const shown = to === 'alice' ? await restated(heard, 'bob', 1, () => ({ sealingKey: stranger.keys.sealing })) : heard
    const answer = await conversation.hear(shown)
    if (answer.type === 'said') second.set(to, answer)
  }
  const error = await t.throwsAsync(conversations.get('alice')!.hear(heardBy('alice', second)))
  t.like(error, { code: 'protocol_abort', culprits: [] })
  t.regex(error.message, /^equivocation/)
})

test('a participant whose own words come back as others that it has signed stops', async (t) => {
  const changes: ((statement: Statement) => Partial<Statement>)[] = [
    () => ({ sealingKey: stranger.keys.sealing }),
    ({ broadcast }) => ({ broadcast: broadcast.slice(1) }),
  ]
  for (const change of changes) {
    const conversations = await start()
    const heard = await restated(heardBy('alice', openings(conversations)), 'alice', 1, change)
    const error = await t.throwsAsync(conversations.get('alice')!.hear(heard))
    t.regex(error.message, /^message_altered/)
  }
})

test('what is signed and wrong convicts its signer', async (t) => {
  for (const sealingKey of [null, new Uint8Array(32)]) {
    const conversations = await start()
    const heard = await restated(heardBy('alice', openings(conversations)), 'bob', 1, () => ({ sealingKey }))
    t.like(await t.throwsAsync(conversations.get('alice')!.hear(heard)), { code: 'protocol_abort', culprits: ['bob'] })
  }
})

test('a secret is taken from the party that has signed and sealed it, for this party and this round, and from nobody else', async (t) => {
  const begin = async () => {
    const conversations = await start()
    const second = await round(conversations, openings(conversations))
    return { carol: conversations.get('carol')!, heard: heardBy('carol', second), second }
  }
  const crossed = await begin()
  const [fromAlice, fromBob] = crossed.heard.secrets
  const secrets = [
    { ...fromBob!, from: 'alice' },
    { ...fromAlice!, from: 'bob' },
  ]
  t.like(await t.throwsAsync(crossed.carol.hear({ ...crossed.heard, secrets })), { code: 'carrier_forged', culprits: [] })

  const diverted = await begin()
  const [forBob] = diverted.second.get('alice')!.secrets
  const { secrets: own } = diverted.heard
  t.like(await t.throwsAsync(diverted.carol.hear({ ...diverted.heard, secrets: [{ from: 'alice', ...forBob! }, own[1]!] })), {
    code: 'carrier_forged',
  })

  // Signed by bob, but sealed by alice: that is his doing.
  const passedOn = await begin()
  const { statement } = passedOn.heard.statements.find(({ from }) => from === 'bob')!
  const [original, other] = passedOn.heard.secrets
  const stolen = await signSecret(identities.get('bob')!.identity, { ...attempt, round: 2 }, { to: 'carol', statement }, original!.sealed)
  t.like(await t.throwsAsync(passedOn.carol.hear({ ...passedOn.heard, secrets: [original!, { ...other!, ...stolen }] })), {
    code: 'protocol_abort',
    culprits: ['bob'],
  })
})

test('somebody who is not in the registry, is named twice, or is not there at all, is no participant', async (t) => {
  const { identity, sealing } = identities.get('alice')!
  for (const names of [
    ['alice', 'dave'],
    ['alice', 'bob', 'alice'],
    ['bob', 'carol'],
  ]) {
    let destroyed = 0
    const participant = { opening: { broadcast: context, secret: new Map() }, next: () => t.fail() as never, destroy: () => destroyed++ }
    const begun = converse({
      attempt,
      context,
      participants: numberedFromOne(names),
      participant,
      voice: { ...witness, identity, sealing },
    })
    t.like(await t.throwsAsync(begun), { code: 'malformed' })
    t.is(destroyed, 1)
  }
})

/** Says something in each round, to nobody or to one other in private, and ends with all that it has heard in the last. */
function scripted(name: string, secretTo: PartyIndex | undefined): Participant<Incoming> {
  const say = (words: string) => new TextEncoder().encode(`${name} ${words}`)
  let round = 1
  return {
    opening: { broadcast: say('is here'), secret: new Map() },
    destroy: () => {},
    next(incoming) {
      round++
      // What was told in private is wiped afterwards: a copy is kept.
      const secrets = new Map([...incoming.secrets].map(([from, secret]) => [from, secret.slice()]))
      if (round > 2) return { kind: 'done', result: { ...incoming, secrets } }
      const secret = new Map(secretTo === undefined ? [] : [[secretTo, say('whispers')]])
      return { kind: 'message', outgoing: { broadcast: say('has heard'), secret } }
    },
  }
}

test('participants may have any numbers, and write in private to one who does not write', async (t) => {
  const numbers = { alice: 5, bob: 2, carol: 4 } as const
  const participants = Object.entries(numbers).map(([id, number]) => ({ id, number }))
  const conversations = new Map<string, Conversation<Incoming>>()
  for (const id of PARTIES) {
    const { identity, sealing } = identities.get(id)!
    const participant = scripted(id, id === 'alice' ? undefined : numbers.alice)
    const named = id === 'bob' ? participants : participants.toReversed()
    conversations.set(id, await converse({ attempt, context, participants: named, participant, voice: { ...witness, identity, sealing } }))
  }
  const first = new Map([...conversations].map(([id, { opening }]) => [id, opening]))
  const second = new Map<string, Said>()
  for (const [id, conversation] of conversations) second.set(id, (await conversation.hear(heardBy(id, first))) as Said)
  const heard = await conversations.get('alice')!.hear(heardBy('alice', second))
  if (heard.type !== 'done') return t.fail()
  const text = (spoken: ReadonlyMap<PartyIndex, Uint8Array>) => [...spoken].map(([from, bytes]) => [from, new TextDecoder().decode(bytes)])
  t.deepEqual(text(heard.result.secrets), [
    [numbers.bob, 'bob whispers'],
    [numbers.carol, 'carol whispers'],
  ])
  t.is(heard.result.broadcasts.size, PARTIES.length)
  const bob = await conversations.get('bob')!.hear(heardBy('bob', second))
  t.is(bob.type === 'done' && bob.result.secrets.size, 0)
})

test('strangers, and those who speak twice, are not listened to', async (t) => {
  for (const extra of ['dave', 'bob']) {
    const conversations = await start()
    const heard = heardBy('alice', openings(conversations))
    const crowded = { ...heard, statements: [...heard.statements, { ...heard.statements[1]!, from: extra }] }
    t.like(await t.throwsAsync(conversations.get('alice')!.hear(crowded)), { code: 'malformed' })
  }
})

test('after a failure nothing more is said', async (t) => {
  const conversations = await start()
  const said = openings(conversations)
  const alice = conversations.get('alice')!
  await t.throwsAsync(alice.hear({ statements: [], secrets: [] }))
  t.like(await t.throwsAsync(alice.hear(heardBy('alice', said))), { code: 'protocol_abort' })
})

test('what is private in the first round is sealed to keys of the registry, and opens for who it is for, in this ceremony, alone', async (t) => {
  const SECRET = new TextEncoder().encode('between alice and bob')
  const begin = async (self: string, other: { number: PartyIndex }, changes: Partial<CeremonyAttempt> = {}) => {
    const { identity, sealing } = identities.get(self)!
    const whispered = SECRET.slice()
    const heard: Incoming[] = []
    const participant = {
      opening: { broadcast: context, secret: new Map([[other.number, whispered]]) },
      next(incoming: Incoming) {
        heard.push({ ...incoming, secrets: new Map([...incoming.secrets].map(([from, secret]) => [from, secret.slice()])) })
        return { kind: 'done', result: undefined } as const
      },
      destroy() {},
    }
    const at = { ...attempt, ...changes }
    const voice = { identity, sealing, verify: verifyIdentity, registry }
    const conversation = await converse({ attempt: at, context, participants: numberedFromOne(PARTIES), participant, voice })
    return { conversation, heard, whispered }
  }
  const [alice, bob, carol] = [await begin('alice', { number: 2 }), await begin('bob', { number: 1 }), await begin('carol', { number: 2 })]
  t.true(
    alice.whispered.every((byte) => byte === 0),
    'it is wiped when it is sealed',
  )
  const said = new Map([alice, bob, carol].map(({ conversation }, i) => [PARTIES[i]!, conversation.opening]))
  t.is((await bob.conversation.hear(heardBy('bob', said))).type, 'done')
  t.deepEqual(
    bob.heard[0]!.secrets,
    new Map([
      [1, SECRET],
      [3, SECRET],
    ]),
  )

  // Signed by carol, but what alice has sealed for bob.
  const listener = await begin('bob', { number: 1 })
  const heard = heardBy('bob', new Map(said).set('bob', listener.conversation.opening))
  const { statement } = said.get('carol')!
  const stolen = await signSecret(
    identities.get('carol')!.identity,
    { ...attempt, round: 1 },
    { to: 'bob', statement },
    heard.secrets[0]!.sealed,
  )
  const secrets = [heard.secrets[0]!, { from: 'carol', ...stolen }]
  t.like(await t.throwsAsync(listener.conversation.hear({ ...heard, secrets })), { code: 'protocol_abort', culprits: ['carol'] })

  // Asked twice, with a restart in between, alice says the same with other secrets: what she says and what she whispers stays together.
  const asked = await begin('bob', { number: 1 })
  const both = new Map(said).set('bob', asked.conversation.opening)
  const twice = await begin('alice', { number: 2 })
  const mixed = new Map(both).set('alice', { ...twice.conversation.opening, secrets: alice.conversation.opening.secrets })
  t.like(await t.throwsAsync(asked.conversation.hear(heardBy('bob', mixed))), { code: 'carrier_forged', culprits: [] })

  const elsewhere = await begin('bob', { number: 1 }, { attempt: 2 })
  const moved = heardBy('bob', new Map(said).set('bob', elsewhere.conversation.opening))
  t.like(await t.throwsAsync(elsewhere.conversation.hear(moved)), { code: 'carrier_forged' })
})

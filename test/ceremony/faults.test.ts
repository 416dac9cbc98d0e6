import test from 'ava'
import type { CeremonyReply, Header } from '../../domain/ceremony/messages.ts'
import { type Said, signSecret, signStatement } from '../../domain/ceremony/statements.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import type { Identity } from '../../domain/ports/identity.ts'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import { allowance } from '../allowance.ts'
import { type SessionEvent, startTestSystem, type TestSystem } from './system.ts'
import { isSignature } from './verify.ts'

const message = new TextEncoder().encode('pay nobody')
const HOLDERS = ['party-1', 'party-2', 'party-3']

let system: TestSystem
let key: ExistingKeyShare

test.before(async () => {
  system = await startTestSystem({ parties: 3 })
  key = await system.generateKey(await system.createWallet(), { scheme: 'frost-ed25519', threshold: 2, parties: HOLDERS })
})

test.after.always(() => system?.close())

let slackMs: number
test.beforeEach(async () => {
  slackMs = await allowance(() => system.sign(key, message))
})

test.afterEach.always(async () => {
  for (const party of system.parties) {
    party.lie = undefined
    party.thaw()
    await party.kill()
    await party.revive()
  }
})

async function signed(t: { is(a: unknown, b: unknown): void; true(a: boolean): void }, withinMs: number) {
  const began = Date.now()
  const session = await system.sign(key, message)
  t.is(session.status, 'signed')
  t.true(isSignature(key.scheme, key.publicKey!, message, session.signature))
  t.true(Date.now() - began < withinMs + slackMs)
  return session
}

test.serial('with any one party killed, the other two sign within two seconds', async (t) => {
  for (const dead of HOLDERS) {
    await system.party(dead).kill()
    const { signers } = await signed(t, 2_000)
    t.false(signers.includes(dead))
    await system.party(dead).revive()
  }
})

test.serial('with any one party frozen, the other two sign within two seconds', async (t) => {
  for (const frozen of HOLDERS) {
    system.party(frozen).freeze()
    const { signers } = await signed(t, 2_000)
    t.false(signers.includes(frozen))
    system.party(frozen).thaw()
  }
})

test.serial('with two parties killed a session fails naming them, and the next works when one is back', async (t) => {
  await system.party('party-1').kill()
  await system.party('party-3').kill()
  const began = Date.now()
  const { status, failure } = await system.sign(key, message)
  t.is(status, 'failed')
  t.deepEqual(failure, { code: 'quorum_unavailable', culprits: ['party-1', 'party-3'] })
  t.true(Date.now() - began < 4_000 + slackMs)
  await system.party('party-3').revive()
  await signed(t, 2_000)
})

test.serial('a party that comes back while a session waits for it takes part', async (t) => {
  await system.party('party-1').kill()
  await system.party('party-3').kill()
  const sessionId = await system.requestSignature(key, message)
  await system.party('party-1').revive()
  t.is((await system.outcome(sessionId)).status, 'signed')
})

test.serial('parties that live but are slow are waited for beyond the usual time', async (t) => {
  for (const id of ['party-1', 'party-3']) system.party(id).freeze()
  const sessionId = await system.requestSignature(key, message)
  setTimeout(() => system.party('party-3').thaw(), 4_000)
  t.is((await system.outcome(sessionId)).status, 'signed')
})

test.serial('with two parties silent a session fails naming them, within five seconds', async (t) => {
  for (const id of ['party-1', 'party-3']) system.party(id).freeze({ silent: true })
  const began = Date.now()
  const { failure } = await system.sign(key, message)
  t.deepEqual(failure, { code: 'quorum_unavailable', culprits: ['party-1', 'party-3'] })
  t.true(Date.now() - began < 5_000 + slackMs)
})

test.serial('parties that live but never answer do not hold up a session beyond its deadline', async (t) => {
  for (const id of ['party-1', 'party-3']) system.party(id).freeze()
  const began = Date.now()
  const { failure } = await system.outcome(await system.requestSignature(key, message, { seconds: 5 }))
  // Who is first at the deadline: the coordinator that gives up, or the one that sees to deadlines.
  t.true(['quorum_unavailable', 'expired'].includes(failure!.code))
  t.true(Date.now() - began < 6_500 + slackMs)
})

test.serial('a party that gives a wrong share is named, and the session goes on without it', async (t) => {
  const honest = system.party('party-3')
  honest.freeze()
  system.party('party-2').lie = (reply) => {
    if (reply.type !== 'contributed') return reply
    honest.thaw()
    return { ...reply, contribution: altered(reply.contribution) }
  }
  const session = await signed(t, 3_000)
  t.deepEqual(session.signers.toSorted(), ['party-1', 'party-3'])
  const starts = await startsOf(session.sessionId)
  t.deepEqual(
    starts.map(({ previous }) => previous),
    [null, { code: 'invalid_contribution', culprits: ['party-2'] }],
  )
})

test.serial('when too few honest parties are left the session fails, naming the others', async (t) => {
  // In different digits, or two lies could add up to the truth.
  for (const [id, digit] of [
    ['party-1', 33],
    ['party-2', 34],
  ] as const)
    system.party(id).lie = (reply) =>
      reply.type === 'contributed' ? { ...reply, contribution: altered(reply.contribution, digit) } : reply
  const { failure } = await system.sign(key, message)
  t.deepEqual(failure, { code: 'quorum_unavailable', culprits: ['party-1', 'party-2'] })
})

test.serial('a party that restarts after it has opened is replaced, with fresh openings', async (t) => {
  await system.party('party-3').kill()
  const victim = system.party('party-1')
  const restarted = new Promise<void>((resolve) => {
    victim.lie = (reply) => {
      if (reply.type === 'opened')
        victim
          .kill()
          .then(() => victim.revive())
          .then(() => system.party('party-3').revive())
          .then(resolve)
      victim.lie = undefined
      return reply
    }
  })
  // Nobody is asked to sign before the other opening is there.
  system.party('party-2').lie = async (reply) => {
    await restarted
    return reply
  }
  const session = await system.sign(key, message)
  t.is(session.status, 'signed')
  const [first, second] = await startsOf(session.sessionId)
  t.true(first!.signers.includes('party-1'))
  t.deepEqual(second!.previous, { code: 'opening_unknown', culprits: ['party-1'] })
})

test.serial('a party that opens and then does not answer in time is replaced within two seconds', async (t) => {
  const openings = new Set<string>()
  let silent: string | undefined
  for (const party of system.parties)
    party.lie = (reply) => {
      if (reply.type === 'opened' && silent === undefined && openings.add(party.id).size === 2) {
        silent = party.id
        party.freeze()
      }
      return reply
    }
  const session = await signed(t, 3_000)
  t.is(session.attempt, 2)
  t.false(session.signers.includes(silent!))
  t.deepEqual(
    (await startsOf(session.sessionId)).map(({ previous }) => previous),
    [null, { code: 'party_timeout', culprits: [silent!] }],
  )
})

test.serial('key generation waits for a party that is being restarted', async (t) => {
  const walletId = await system.createWallet()
  await system.party('party-2').kill()
  const generating = system.generateKey(walletId, { scheme: 'frost-ed25519', threshold: 2, parties: HOLDERS })
  setTimeout(() => void system.party('party-2').revive(), 11_000)
  t.is((await generating).status, 'active')
})

test.serial('key generation with a party that stays away fails naming it, and works when it is back', async (t) => {
  const walletId = await system.createWallet()
  const wanted = { scheme: 'frost-secp256k1-tr', threshold: 2, parties: HOLDERS } as const
  await system.party('party-2').kill()
  const failed = await system.generateKey(walletId, wanted)
  t.is(failed.status, 'failed')
  t.deepEqual(failed.failure, { code: 'party_unavailable', culprits: ['party-2'] })
  await system.party('party-2').revive()
  t.is((await system.generateKey(walletId, wanted)).status, 'active')
})

const generateKey = async () => system.generateKey(await system.createWallet(), { scheme: 'frost-ed25519', threshold: 2, parties: HOLDERS })

test.serial('a party that has heard something else than the others in key generation is found out, and no key comes of it', async (t) => {
  const { identity } = system.identities.party('party-3')
  system.party('party-3').lie = async (reply, { header }) =>
    reply.type === 'said' && header.round === 2 ? await speakingOf(new Uint8Array(32), identity, header, reply) : reply
  const { status, failure } = await generateKey()
  t.is(status, 'failed')
  t.deepEqual(failure, { code: 'invalid_reply', culprits: ['party-3'] })
})

test.serial('a party that keeps a secret share from another in key generation is named', async (t) => {
  system.party('party-3').lie = (reply) => (reply.type === 'said' ? { ...reply, secrets: reply.secrets.slice(1) } : reply)
  const { failure } = await generateKey()
  t.deepEqual(failure, { code: 'invalid_reply', culprits: ['party-3'] })
})

test.serial('a secret share that its sender has damaged convicts the sender, and no key comes of it', async (t) => {
  const { identity } = system.identities.party('party-1')
  system.party('party-1').lie = async (reply, { header }) => {
    if (reply.type !== 'said') return reply
    const { statement } = reply
    const damaged = reply.secrets.map(async ({ to, sealed }) => {
      const secret = await signSecret(identity, header, { to, statement }, to === 'party-2' ? altered(sealed) : sealed)
      return { to, ...secret }
    })
    return { ...reply, secrets: await Promise.all(damaged) }
  }
  const { status, failure } = await generateKey()
  t.is(status, 'failed')
  t.deepEqual(failure, { code: 'protocol_abort', culprits: ['party-1'] })
})

test.serial('a party that does not sign what it says is named by the coordinator, not by those who would have heard it', async (t) => {
  const lies: ((reply: Said) => CeremonyReply)[] = [
    (reply) => ({ ...reply, statement: { ...reply.statement, signature: new Uint8Array(64) } }),
    (reply) => ({ ...reply, secrets: reply.secrets.map((secret) => ({ ...secret, sealed: altered(secret.sealed) })) }),
  ]
  for (const lie of lies) {
    system.party('party-1').lie = (reply, { header }) => (reply.type === 'said' && header.round === 2 ? lie(reply) : reply)
    const { failure } = await generateKey()
    t.deepEqual(failure, { code: 'invalid_reply', culprits: ['party-1'] })
  }
})

/** The same words, signed again with another idea of what was heard before. */
async function speakingOf(transcript: Uint8Array, identity: Identity, at: Header, { statement, secrets }: Said): Promise<Said> {
  const said = await signStatement(identity, at, { ...statement, transcript })
  const resigned = secrets.map(async ({ to, sealed }) => ({ to, ...(await signSecret(identity, at, { to, statement: said }, sealed)) }))
  return { type: 'said', statement: said, secrets: await Promise.all(resigned) }
}

async function startsOf(sessionId: string) {
  const events = (await system.events(signingSessionStream(sessionId))) as SessionEvent[]
  return events.flatMap((event) => (event.type === 'SigningStarted' ? [event.data] : []))
}

function altered(bytes: Uint8Array, at = 32): Uint8Array {
  const changed = bytes.slice()
  changed[at]! ^= 1
  return changed
}

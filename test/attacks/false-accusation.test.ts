/** A party accuses another one of what only the coordinator can judge, to have the honest one left out, or thought ill of. */
import { hexToBytes } from '@noble/hashes/utils.js'
import test, { type ExecutionContext } from 'ava'
import type { CeremonyReply } from '../../domain/ceremony/messages.ts'
import { signOpening } from '../../domain/ceremony/opening.ts'
import { keyShareStream } from '../../domain/key-share/events.ts'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import { SCHEMES } from '../../domain/threshold/scheme.ts'
import { FROST_SCHEMES } from '../../domain/threshold/testing/ciphersuites.ts'
import { type KeyEvent, type SessionEvent, startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { isSignature } from '../ceremony/verify.ts'

const message = new TextEncoder().encode('pay nobody')
const PARTIES = ['party-1', 'party-2', 'party-3']
const LIAR = 'party-2'

const accusation = (...culprits: string[]): CeremonyReply => ({ type: 'refused', code: 'protocol_abort', reason: 'it was them', culprits })

async function start(t: ExecutionContext): Promise<TestSystem> {
  const system = await startTestSystem({ parties: PARTIES.length })
  t.teardown(system.close)
  return system
}

const generate = async (system: TestSystem, scheme: (typeof SCHEMES)[number]) =>
  system.generateKey(await system.createWallet(), { scheme, threshold: 2, parties: PARTIES })

async function failuresOf(system: TestSystem, sessionId: string) {
  const events = (await system.events(signingSessionStream(sessionId))) as SessionEvent[]
  return events.flatMap((event) => (event.type === 'SigningStarted' && event.data.previous ? [event.data.previous] : []))
}

/** The breakers that are open. */
const shunned = ({ standing }: TestSystem) => standing.reports().flatMap(({ partyId, circuit }) => (circuit === 'open' ? [partyId] : []))

/** One of the others opens only when the session goes on without the liar, who has to be among the first signers. */
function keepOneAway(system: TestSystem): () => void {
  system.party('party-3').freeze()
  return () => system.party('party-3').thaw()
}

for (const scheme of FROST_SCHEMES) {
  test.serial(`${scheme}: of an opening that is sound: the accuser is held to be wrong, and the session goes on without it`, async (t) => {
    const system = await start(t)
    const key = await generate(system, scheme)
    const letBack = keepOneAway(system)
    system.party(LIAR).lie = (reply) => {
      if (reply.type !== 'contributed') return reply
      letBack()
      return accusation('party-1')
    }
    const session = await system.sign(key, message)
    t.true(isSignature(scheme, key.publicKey!, message, session.signature))
    t.deepEqual(session.signers.toSorted(), ['party-1', 'party-3'])
    t.deepEqual(await failuresOf(system, session.sessionId), [{ code: 'invalid_reply', culprits: [LIAR] }])
    t.deepEqual(shunned(system), [LIAR])
  })

  test.serial(`${scheme}: of an opening that is not sound: the accused is held to be wrong, and not who says so`, async (t) => {
    const system = await start(t)
    const key = await generate(system, scheme)
    const letBack = keepOneAway(system)
    const { identity } = system.identities.party(LIAR)
    let settle = () => {}
    const judged = new Promise<void>((resolve) => {
      settle = resolve
    })
    system.party(LIAR).lie = async (reply) => {
      if (reply.type === 'refused') await judged
      if (reply.type !== 'opened') return reply
      const unsound = (broadcast: Uint8Array) => new Uint8Array(broadcast.length).fill(0xff)
      const opened = { scheme, publicKey: hexToBytes(key.publicKey!), keyId: key.keyId, epoch: key.epoch }
      const resigned = reply.openings.map((opening) => signOpening(identity, opened, { ...opening, broadcast: unsound(opening.broadcast) }))
      return { ...reply, openings: await Promise.all(resigned) }
    }
    system.party('party-1').lie = (reply) => {
      if (reply.type === 'refused') letBack()
      return reply
    }
    const session = await system.sign(key, message)
    settle()
    t.deepEqual(session.signers.toSorted(), ['party-1', 'party-3'])
    t.deepEqual(await failuresOf(system, session.sessionId), [{ code: 'invalid_message', culprits: [LIAR] }])
    t.deepEqual(shunned(system), [LIAR])
  })
}

for (const scheme of SCHEMES) {
  test.serial(`${scheme}: before anything of anybody has been heard, when a key is generated or refreshed`, async (t) => {
    const system = await start(t)
    const key = await generate(system, scheme)
    system.party(LIAR).lie = (reply, { header }) => (reply.type === 'said' && header.round === 1 ? accusation('party-1') : reply)
    const wrong = { code: 'invalid_reply', culprits: [LIAR] }
    t.deepEqual((await generate(system, scheme)).failure, wrong)
    await system.refresh(key.keyId)
    const events = (await system.events(keyShareStream(key.keyId))) as KeyEvent[]
    t.like(events.find(({ type }) => type === 'KeyRefreshFailed')?.data, wrong)
  })
}

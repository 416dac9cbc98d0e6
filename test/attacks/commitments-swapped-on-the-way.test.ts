import test from 'ava'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import { ProtocolAbort } from '../../domain/threshold/protocol.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { FROST_SCHEMES } from '../../domain/threshold/testing/ciphersuites.ts'
import { askToSign, openingOf } from '../ceremony/by-hand.ts'
import { type SessionEvent, startTestSystem } from '../ceremony/system.ts'

const parties = ['party-1', 'party-2', 'party-3']
const message = new TextEncoder().encode('pay nobody')

for (const scheme of FROST_SCHEMES) {
  test.serial(`a coordinator that shows its signers different openings gets no signature, with ${scheme}`, async (t) => {
    const system = await startTestSystem({ parties: 3 })
    t.teardown(system.close)
    const key = await system.generateKey(await system.createWallet(), { scheme, threshold: 2, parties })
    const [one, two, other] = [
      await openingOf(system, key, 'party-1'),
      await openingOf(system, key, 'party-2'),
      await openingOf(system, key, 'party-2'),
    ]
    const first = await askToSign(system, key, 'party-1', { sessionId: 'session', message, openings: [one, two] })
    const second = await askToSign(system, key, 'party-2', { sessionId: 'session', message, openings: [one, other] })
    if (first.type !== 'contributed' || second.type !== 'contributed') return t.fail('both have been told something that holds')
    t.notDeepEqual(first.transcript, second.transcript)
    const contributions = new Map([first, second].map(({ contribution }, i) => [i + 1, contribution]))
    for (const ofSecond of [two, other]) {
      const broadcasts = new Map([one, ofSecond].map(({ broadcast }, i) => [i + 1, broadcast]))
      const publicPackage = Buffer.from(key.publicPackage!, 'hex')
      const transcript = {
        publicPackage,
        path: [],
        signers: [1, 2],
        message: protocolOf(scheme).message(message),
        broadcasts,
        contributions,
      }
      t.throws(() => protocolOf(scheme).aggregate(transcript), { instanceOf: ProtocolAbort })
    }
  })
}

test.serial('an opening that is replaced on the way to one signer convicts nobody, and the session goes on', async (t) => {
  const system = await startTestSystem({ parties: 3, presignatures: 10 })
  t.teardown(system.close)
  const key = await system.generateKey(await system.createWallet(), { scheme: 'frost-ed25519', threshold: 3, parties })
  await system.stocked(key, 10)
  const other = await openingOf(system, key, 'party-2')
  let replaced = 0
  system.party('party-1').mishear = (asked) => {
    if (asked.request.type !== 'sign' || replaced++ > 0) return asked
    const { task } = asked.request
    const openings = task.openings.map((opening) => (opening.partyId === 'party-2' ? other : opening))
    return { ...asked, request: { type: 'sign', task: { ...task, openings } } }
  }
  const session = await system.sign(key, message)
  t.like(session, { status: 'signed', attempt: 2 })
  const events = (await system.events(signingSessionStream(session.sessionId))) as SessionEvent[]
  const previous = events.flatMap((event) => (event.type === 'SigningStarted' ? [event.data.previous] : []))
  t.deepEqual(previous, [null, { code: 'equivocation', culprits: [] }])
})

import test from 'ava'
import type { CeremonyReply } from '../../domain/ceremony/messages.ts'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import { SCHEMES } from '../../domain/threshold/scheme.ts'
import { type SessionEvent, startTestSystem, type TestParty } from '../ceremony/system.ts'
import { isSignature } from '../ceremony/verify.ts'

const message = new TextEncoder().encode('pay nobody')

/** Ways not to contribute; `over` settles when the test is. */
const ABORTS: { readonly [code: string]: (over: Promise<void>) => Promise<CeremonyReply> } = {
  party_timeout: async (over) => {
    await over
    return { type: 'refused', code: 'internal', reason: 'over', culprits: [] }
  },
  internal: async () => ({ type: 'refused', code: 'internal', reason: 'I do not feel like it', culprits: [] }),
  opening_invalid: async () => ({ type: 'refused', code: 'opening_invalid', reason: 'it is somebody else', culprits: [] }),
  invalid_reply: async () => ({ type: 'abandoned' }),
}

for (const scheme of SCHEMES)
  for (const [code, abort] of Object.entries(ABORTS)) {
    test.serial(`a party that opens and never contributes (${code}) is named, and others sign in its place, with ${scheme}`, async (t) => {
      const system = await startTestSystem({ parties: 3, presignatures: 10 })
      let settle = () => {}
      const over = new Promise<void>((resolve) => {
        settle = resolve
      })
      t.teardown(async () => {
        settle()
        await system.close()
      })
      const parties = system.parties.map(({ id }) => id)
      const key = await system.generateKey(await system.createWallet(), { scheme, threshold: 2, parties })
      await system.stocked(key, 10)
      let aborter: TestParty | undefined
      for (const party of system.parties)
        party.lie = (reply) => {
          if (reply.type === 'contributed') aborter ??= party
          return reply.type === 'contributed' && aborter === party ? abort(over) : reply
        }

      const session = await system.sign(key, message)
      t.true(isSignature(scheme, key.publicKey!, message, session.signature))
      t.false(session.signers.includes(aborter!.id))
      const events = (await system.events(signingSessionStream(session.sessionId))) as SessionEvent[]
      t.deepEqual(
        events.flatMap((event) => (event.type === 'SigningStarted' ? [event.data.previous] : [])),
        [null, { code, culprits: [aborter!.id] }],
      )
      // There was stock for the second attempt, too, unless those who signed have not opened together before.
      const { signing } = protocolOf(scheme)
      const rounds = signing.openedBy === 'each' ? 1 : signing.rounds + 1
      t.deepEqual(
        events.flatMap((event) => (event.type === 'RoundCompleted' ? [[event.data.attempt, event.data.round, event.data.rounds]] : [])),
        Array.from({ length: rounds }, (_, index) => [2, index + 1, rounds]),
      )
    })
  }

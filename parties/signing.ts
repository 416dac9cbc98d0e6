import { encodeFields } from '../domain/ceremony/fields.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { ProtocolAbort } from '../domain/threshold/protocol.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { type BeginCeremony, requireType } from './ceremony.ts'
import { converse } from './conversation.ts'
import { numberedFromOne } from './participants.ts'
import { answeredBefore, signedDigest } from './sign-once.ts'

/**
 * Takes part in one signature. The opening binds this party to nothing but fresh nonces; what is signed, and with whom, comes with the second
 * round. The share is opened for each step that needs it and for no longer, so a key revoked in between signs nothing.
 */
export const beginSigning: BeginCeremony = async ({ header, request }, { shares, voice, rng, ledger, fence }) => {
  fence.assertLifted()
  const { share: reference } = requireType(request, 'openSigning')
  const stored = await shares.find(reference)
  const { scheme, publicPackage, parties } = stored.record
  if (scheme !== header.scheme) throw new Refusal('share_mismatch', 'the key is of another scheme')
  const signer = await readShare(() => shares.use(stored, (share) => protocolOf(scheme).signing({ key: { share, publicPackage }, rng })))
  const context = encodeFields('quorate signing', reference.keyId, reference.attempt, reference.publicKey)
  // A holder that was taken out of the registry is none of those who can sign.
  const participants = numberedFromOne(parties).filter(({ id }) => voice.registry.parties.has(id))
  const conversation = await converse({ attempt: header, context, participants, participant: signer, voice })
  const claim = { keyId: reference.keyId, sessionId: header.ceremonyId, attempt: header.attempt, slots: [], intents: [] }
  let assigned: Uint8Array | undefined

  return {
    opening: conversation.opening,
    destroy: conversation.destroy,
    async next(request, requestDigest) {
      fence.assertLifted()
      const earlier = answeredBefore(ledger, { ...claim, requestDigest })
      if (earlier) return { reply: { type: 'contributed', contribution: earlier }, done: true }
      if (!assigned) {
        const { message, signers } = requireType(request, 'sign').task
        const numbers = signers.map((id) => parties.indexOf(id) + 1)
        const current = await shares.find(reference)
        await readShare(() => shares.use(current, (share) => signer.assign({ key: { share, publicPackage }, signers: numbers, message })))
        assigned = signedDigest(message, 'm')
      }
      const { heard } = request.type === 'sign' ? request : requireType(request, 'proceed')
      const said = await conversation.hear(heard)
      if (said.type === 'said') return { reply: said, done: false }
      await ledger.claim({ ...claim, requestDigest, digest: assigned, answer: said.result })
      return { reply: { type: 'contributed', contribution: said.result }, done: true }
    },
  }
}

/** What the engine says against the share is a matter of this party alone; against anything else, of whoever asks. */
async function readShare<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ProtocolAbort)) throw error
    throw new Refusal(error.code === 'invalid_key' ? 'share_unreadable' : 'malformed', error.message)
  }
}

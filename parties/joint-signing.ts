import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import type { CeremonyReply } from '../domain/ceremony/messages.ts'
import { jointSigningTranscript, TRANSCRIPT_BYTES } from '../domain/ceremony/opening.ts'
import { encodeFields } from '../domain/fields.ts'
import type { Asked } from '../domain/ports/party-channel.ts'
import { type AllowanceDependencies, allowSignature } from './allowed-signature.ts'
import { type Ceremony, type Concluded, requireType } from './ceremony.ts'
import { contribute } from './contribution.ts'
import type { OpenTogether } from './joint-opening.ts'

export type JointSigningDependencies = AllowanceDependencies & { openTogether: OpenTogether }

/**
 * Opens together with the other signers, and contributes to one signature with what came of it. What is to be signed is allowed before this party joins, and is part
 * of what all have to be told alike; the ledger has it on disk before the contribution is answered.
 * @throws Refusal, Unavailable
 */
export async function beginJointSigning(asked: Asked, dependencies: JointSigningDependencies): Promise<Ceremony | Concluded> {
  const { shares, fence, openTogether } = dependencies
  const { task } = requireType(asked.request, 'signTogether')
  const allowed = await allowSignature(asked, task, dependencies)
  if ('answered' in allowed) return { concluded: contributed(allowed.answered) }
  const { stored, message, path } = allowed
  const { signers, share } = task
  const { scheme, ceremonyId, attempt } = asked.header
  const context = encodeFields(
    'quorate joint signature',
    ...[scheme, ceremonyId, attempt, share.keyId, share.epoch, share.attempt, path, sha256(message), ...signers],
  )
  const conversation = await openTogether({ attempt: asked.header, context, signers, stored })

  return {
    opening: conversation.opening,
    destroy: conversation.destroy,
    async next(request) {
      const said = await conversation.hear(requireType(request, 'proceed').heard)
      if (said.type === 'said') return { reply: said, done: false }
      const opened = said.result
      try {
        fence.assertLifted()
        const { broadcast } = opened
        const broadcasts = new Map(signers.map((id) => [id, broadcast]))
        const contribution = await contribute(opened, broadcasts, { shares, stored, message, path })
        const transcript = jointSigningTranscript(signers, { path, message, broadcast })
        const answer = concatBytes(transcript, lengthOf(broadcast), broadcast, contribution)
        await allowed.record(answer)
        return { reply: contributed(answer), done: true }
      } finally {
        opened.destroy()
      }
    },
  }
}

const LENGTH_BYTES = 2

function lengthOf(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(LENGTH_BYTES)
  new DataView(length.buffer).setUint16(0, bytes.length)
  return length
}

/** What is answered, as the ledger keeps it: the transcript, what was opened with and its length, and the contribution. */
function contributed(answer: Uint8Array): CeremonyReply {
  const start = TRANSCRIPT_BYTES + LENGTH_BYTES
  const end = start + new DataView(answer.buffer, answer.byteOffset).getUint16(TRANSCRIPT_BYTES)
  return {
    type: 'contributed',
    transcript: answer.slice(0, TRANSCRIPT_BYTES),
    broadcast: answer.slice(start, end),
    contribution: answer.slice(end),
  }
}

import type { Identity, Registry, VerifyIdentity } from '../domain/ports/identity.ts'
import type { Messages } from '../domain/ports/messages.ts'
import type { SignedHead, WitnessStore } from '../domain/ports/witness-store.ts'
import {
  answerBytes,
  decodeWitness,
  encodeWitness,
  headBytes,
  questionBytes,
  type WitnessAnswer,
  type WitnessMessage,
  type WitnessQuestion,
  witnessSubject,
} from './witness-messages.ts'

export type WitnessOptions = {
  identity: Identity
  registry: Registry
  verify: VerifyIdentity
  messages: Messages
  store: WitnessStore
  /** Told when what was witnessed cannot be kept. */
  onFailure(error: unknown): void
}

const KEEP_EVERY_MS = 100
const NOTHING = new Uint8Array()

/**
 * Remembers the highest ledger head that it has seen of each other party, and tells a party that asks what was seen of it. Needs nobody's leave, so that parties that
 * all start at once can clear each other.
 */
export function bearWitness({ identity, registry, verify, messages, store, onFailure }: WitnessOptions): () => Promise<void> {
  const known = new Map<string, SignedHead>()
  const unkept = new Set<string>()
  for (const [partyId, { signing }] of registry.parties) {
    const kept = store.witnessed(partyId)
    // A party that has got a new identity begins anew.
    if (kept && verify(signing, headBytes(kept), kept.signature)) known.set(partyId, kept)
  }

  let keeping: NodeJS.Timeout | undefined
  const keep = () => {
    keeping = undefined
    try {
      store.keep([...unkept].map((partyId) => known.get(partyId)!))
      unkept.clear()
    } catch (error) {
      onFailure(error)
      keepSoon()
    }
  }
  const keepSoon = () => {
    keeping ??= setTimeout(keep, KEEP_EVERY_MS).unref()
  }

  const hear = (head: SignedHead) => {
    const { partyId, sequence, signature } = head
    const keys = registry.parties.get(partyId)
    if (!keys || partyId === identity.id || sequence <= (known.get(partyId)?.sequence ?? 0n)) return
    if (!verify(keys.signing, headBytes(head), signature)) return
    known.set(partyId, head)
    unkept.add(partyId)
    keepSoon()
  }

  const answer = async ({ from, to, challenge, signature }: WitnessQuestion): Promise<Uint8Array> => {
    const keys = registry.parties.get(from)
    if (!keys || to !== identity.id || !verify(keys.signing, questionBytes({ from, to, challenge }), signature)) return NOTHING
    const answer: Omit<WitnessAnswer, 'signature'> = { type: 'answer', from: to, to: from, challenge, head: known.get(from) ?? null }
    return encodeWitness({ ...answer, signature: await identity.sign(answerBytes(answer)) })
  }

  const unsubscribe = messages.subscribe(witnessSubject('*'), (payload, subject) => {
    const message: WitnessMessage | undefined = decodeWitness(payload)
    if (message?.type === 'head' && subject === witnessSubject(message.partyId)) hear(message)
  })
  const stop = messages.serve(witnessSubject(identity.id), async (payload) => {
    const message = decodeWitness(payload)
    return message?.type === 'question' ? answer(message) : NOTHING
  })
  return async () => {
    unsubscribe()
    await stop()
    clearTimeout(keeping)
    if (unkept.size > 0) keep()
    clearTimeout(keeping)
  }
}

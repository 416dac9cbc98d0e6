import type { Witness } from '../domain/ceremony/sayings.ts'
import type { Identity } from '../domain/ports/identity.ts'
import type { Messages } from '../domain/ports/messages.ts'
import type { SignedHead, WitnessStore } from '../domain/ports/witness-store.ts'
import { decodeWitness, encodeWitness, headSubject, isAsked, isOwnHead, questionSubject, signAnswer } from './witness-messages.ts'

export type WitnessOptions = Witness & {
  identity: Identity
  messages: Messages
  store: WitnessStore
  /** Told when what was witnessed cannot be kept. */
  onFailure(error: unknown): void
}

/** A sync each time, which signatures would wait for. What is not kept yet is still in memory, and in that of the other witnesses. */
const KEEP_EVERY_MS = 1_000
/** Heads of one party that are heard before they are looked at: more than a party says meanwhile. */
const MAX_UNREAD = 32
const NOTHING = new Uint8Array()

/**
 * Remembers the highest ledger head that it has seen of each other party, and tells a party that asks what was seen of it. Needs nobody's leave, so that parties that
 * all start at once can clear each other.
 */
export function bearWitness(options: WitnessOptions): () => Promise<void> {
  const { identity, registry, messages, store, onFailure } = options
  const known = new Map<string, SignedHead>()
  const unkept = new Set<string>()
  const unread = new Map<string, SignedHead[]>()
  for (const partyId of registry.parties.keys()) {
    const kept = store.witnessed(partyId)
    // A party that has got a new identity begins anew.
    if (kept && isOwnHead(options, kept)) known.set(partyId, kept)
  }

  /** Of what was heard of a party the highest head that it has signed. The others, mostly, need not be verified. */
  const read = (partyId: string) => {
    const heard = (unread.get(partyId) ?? []).toSorted((a, b) => Number(b.sequence - a.sequence))
    unread.delete(partyId)
    const head = heard.find((each) => isOwnHead(options, each))
    if (!head || head.sequence <= (known.get(partyId)?.sequence ?? 0n)) return
    known.set(partyId, head)
    unkept.add(partyId)
  }

  let keeping: NodeJS.Timeout | undefined
  const keep = () => {
    keeping = undefined
    for (const partyId of unread.keys()) read(partyId)
    if (unkept.size === 0) return
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
    const { partyId, sequence } = head
    if (partyId === identity.id || !registry.parties.has(partyId) || sequence <= (known.get(partyId)?.sequence ?? 0n)) return
    const heard = unread.get(partyId) ?? []
    heard.push(head)
    unread.set(partyId, heard)
    // Whoever makes heads up must not push out those that are signed.
    if (heard.length === MAX_UNREAD) read(partyId)
    keepSoon()
  }

  const unsubscribe = messages.subscribe(headSubject('*'), (payload, subject) => {
    const message = decodeWitness(payload)
    if (message?.type === 'head' && subject === headSubject(message.partyId)) hear(message)
  })
  const stop = messages.serve(questionSubject(identity.id), async (payload) => {
    const message = decodeWitness(payload)
    if (message?.type !== 'question' || message.to !== identity.id || !isAsked(options, message)) return NOTHING
    read(message.from)
    return encodeWitness(await signAnswer(identity, message, known.get(message.from) ?? null))
  })
  return async () => {
    unsubscribe()
    await stop()
    clearTimeout(keeping)
    keep()
    clearTimeout(keeping)
  }
}

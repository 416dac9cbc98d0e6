import { randomBytes } from 'node:crypto'
import { Refusal } from '../domain/ceremony/refusal.ts'
import type { Witness } from '../domain/ceremony/sayings.ts'
import { Unavailable } from '../domain/ports/event-log.ts'
import type { Identity } from '../domain/ports/identity.ts'
import { type Messages, NoResponders, RequestTimeout } from '../domain/ports/messages.ts'
import type { SigningLedger } from '../domain/ports/signing-ledger.ts'
import type { SignedHead, WitnessStore } from '../domain/ports/witness-store.ts'
import { equalBytes } from '../domain/threshold/rounds.ts'
import {
  decodeWitness,
  encodeWitness,
  headSubject,
  isAnswerTo,
  isOwnHead,
  questionSubject,
  signHead,
  signQuestion,
} from './witness-messages.ts'

/** Keeps a party whose store is older than what it has signed from signing. */
export interface Fence {
  /** Whether the party is known to have signed what its ledger does not have, and no operator has lifted that yet. */
  readonly isUp: boolean
  /** @throws Refusal `fenced`; `busy` while too few other parties have said what they have seen */
  assertLifted(): void
  close(): Promise<void>
}

export type FenceOptions = Witness & {
  identity: Identity
  messages: Messages
  ledger: Pick<SigningLedger, 'head'>
  store: WitnessStore
  onFailure(error: unknown): void
  /** Called when the fence goes up or is lifted. */
  onChange?(isUp: boolean): void
}

const LOOK_EVERY_MS = 100
/** A head that nobody heard is said again. */
const REPEAT_EVERY_MS = 1_000
const ANSWER_WITHIN_MS = 1_000
/** While too few have answered, and after that those who have not. */
const ASK_AGAIN_MS = { few: 200, enough: 5_000 }

/**
 * Says how far this party's ledger has come, asks the others how far they have seen it come, and fences it when they have seen it where it has never been: then its
 * store is an older copy, or there are two of it. Before it signs, every other party is asked and at least half of them have answered, so that no
 * single one that has seen nothing, or says so, clears it; the rest are asked until they have. A party that is the only one has nobody to ask.
 *
 * What the others have seen is what this party had made durable before it said so: a crash alone never fences.
 */
export function raiseFence(options: FenceOptions): Fence {
  const { identity, registry, messages, ledger, store, onFailure, onChange = () => {} } = options
  const silent = new Set([...registry.parties.keys()].filter((id) => id !== identity.id))
  const mayStaySilent = Math.floor(silent.size / 2)
  let isCleared = silent.size === 0
  let isUp = false
  let isClosed = false

  const look = () => {
    const was = isUp
    isUp = store.fence() !== undefined
    if (isUp !== was) onChange(isUp)
  }
  look()
  /** Only what this party has signed itself counts, so nobody else can fence it. */
  const confront = (head: SignedHead): boolean => {
    if (isClosed || head.partyId !== identity.id || !isOwnHead(options, head)) return false
    store.confront(head)
    look()
    return true
  }

  const ask = async (to: string): Promise<void> => {
    const question = await signQuestion(identity, to, new Uint8Array(randomBytes(32)))
    const answer = decodeWitness(await messages.request(questionSubject(to), encodeWitness(question), { timeoutMs: ANSWER_WITHIN_MS }))
    if (answer?.type !== 'answer' || !isAnswerTo(options, question, answer)) return
    if (answer.head === null || confront(answer.head)) silent.delete(to)
  }
  let again: NodeJS.Timeout | undefined
  const askSilent = async (): Promise<void> => {
    for (const outcome of await Promise.allSettled([...silent].map(ask))) {
      if (outcome.status === 'rejected' && !isAbsence(outcome.reason)) onFailure(outcome.reason)
    }
    isCleared = silent.size <= mayStaySilent
    if (!isClosed && silent.size > 0) again = setTimeout(askAgain, isCleared ? ASK_AGAIN_MS.enough : ASK_AGAIN_MS.few).unref()
  }

  const askAgain = () => {
    asking = askSilent()
  }

  let said: SignedHead | undefined
  let sayAgainAt = 0
  const say = async () => {
    look()
    const head = ledger.head()
    if (isUp || !isCleared || head.sequence === 0n || (head.sequence === said?.sequence && Date.now() < sayAgainAt)) return
    if (head.sequence !== said?.sequence) said = await signHead(identity, head)
    sayAgainAt = Date.now() + REPEAT_EVERY_MS
    messages.publish(headSubject(identity.id), encodeWitness({ type: 'head', ...said }))
  }
  let saying: Promise<void> = Promise.resolve()
  const saySoon = (afterMs: number): NodeJS.Timeout =>
    setTimeout(() => {
      saying = say()
        .then(
          () => LOOK_EVERY_MS,
          (error) => {
            onFailure(error)
            return REPEAT_EVERY_MS
          },
        )
        .then((nextMs) => {
          if (!isClosed) next = saySoon(nextMs)
        })
    }, afterMs).unref()
  let next = saySoon(LOOK_EVERY_MS)

  // Whoever else speaks here has this party's identity.
  const unsubscribe = messages.subscribe(headSubject(identity.id), (payload) => {
    const message = decodeWitness(payload)
    if (message?.type !== 'head') return
    const isOwn = said !== undefined && message.sequence === said.sequence && equalBytes(message.hash, said.hash)
    if (!isOwn) confront(message)
  })
  let asking = askSilent()

  return {
    get isUp() {
      return isUp
    },
    assertLifted() {
      if (isUp) throw new Refusal('fenced', 'this party has signed what its store does not have: an operator must lift the fence')
      if (!isCleared) throw new Refusal('busy', 'too few other parties have said yet what they have seen of this one')
    },
    async close() {
      isClosed = true
      clearTimeout(again)
      clearTimeout(next)
      unsubscribe()
      await Promise.allSettled([asking, saying])
    },
  }
}

const isAbsence = (error: unknown) => error instanceof NoResponders || error instanceof RequestTimeout || error instanceof Unavailable

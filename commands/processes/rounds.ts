import type { CeremonyAttempt, CeremonyReply, CeremonyRequest, Heard } from '../../domain/ceremony/messages.ts'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { NoResponders, RequestTimeout } from '../../domain/ports/messages.ts'
import { ForgedReply, InvalidReply, type PartyChannel } from '../../domain/ports/party-channel.ts'

export type Said = Extract<CeremonyReply, { type: 'said' }>
export type Answer = Exclude<CeremonyReply, { type: 'refused' }>

/** A party, `from`, did not do its part; `culprits` are those to blame, which is not always the party that says so. */
export type PartyFailure = { code: string; from: string; culprits: readonly string[] }

/**
 * An attempt has come to nothing. `doubtful` are others than the culprits that are better not asked first again; `failures` is what each party
 * failed with, where all were waited for.
 */
export class CeremonyFailed extends Error {
  override readonly name = 'CeremonyFailed'
  constructor(
    readonly code: string,
    readonly culprits: readonly string[],
    readonly doubtful: readonly string[] = [],
    readonly failures: readonly PartyFailure[] = [],
  ) {
    super(`${code}: ${culprits.join(', ') || 'nobody to blame'}`)
  }
}

export type Question = { to: string; round: number; request: CeremonyRequest; timeoutMs: number; signal?: AbortSignal }

/**
 * Asks one party; what it fails to do is an outcome like another.
 * @throws Unavailable when the broker is gone, which is no party's fault
 */
export async function askParty(
  channel: PartyChannel,
  attempt: CeremonyAttempt,
  { to, round, request, timeoutMs, signal }: Question,
): Promise<{ answer: Answer } | { failure: PartyFailure }> {
  try {
    const reply = await channel.ask({ ...attempt, round, to }, request, { timeoutMs, ...(signal ? { signal } : {}) })
    if (reply.type !== 'refused') return { answer: reply }
    // Whether an accusation is believed is left to who has asked; one that accuses nobody falls back on who makes it.
    return { failure: { code: reply.code, from: to, culprits: reply.culprits.length > 0 ? reply.culprits : [to] } }
  } catch (error) {
    return { failure: { code: failureCode(error), from: to, culprits: [to] } }
  }
}

/**
 * Asks each of the parties and waits for all of them.
 * @throws CeremonyFailed unless every one has answered with this type of reply, Unavailable
 */
export async function askEach<Type extends Answer['type']>(
  channel: PartyChannel,
  attempt: CeremonyAttempt,
  parties: readonly string[],
  type: Type,
  question: (to: string) => Omit<Question, 'to'>,
): Promise<Map<string, Extract<Answer, { type: Type }>>> {
  const outcomes = await Promise.all(parties.map(async (to) => ({ to, ...(await askParty(channel, attempt, { to, ...question(to) })) })))
  const answers = new Map<string, Extract<Answer, { type: Type }>>()
  const failures: PartyFailure[] = []
  for (const outcome of outcomes) {
    if ('failure' in outcome) failures.push(outcome.failure)
    else if (outcome.answer.type !== type) failures.push(invalidReply(outcome.to))
    else answers.set(outcome.to, outcome.answer as Extract<Answer, { type: Type }>)
  }
  const [first] = failures
  if (first) throw new CeremonyFailed(first.code, culpritsOf(failures, parties), [], failures)
  return answers
}

/** What a party is told of what all have said in a round. */
export function heardBy(to: string, said: ReadonlyMap<string, Said>): Heard {
  const everything = [...said]
  return {
    statements: everything.map(([from, { statement }]) => ({ from, statement })),
    secrets: everything.flatMap(([from, { secrets }]) =>
      secrets.filter((secret) => secret.to === to).map(({ sealed, signature }) => ({ from, sealed, signature })),
    ),
  }
}

/** A party may accuse anybody, but only those who took part can be at fault. */
export function culpritsOf(failures: readonly PartyFailure[], parties: readonly string[]): string[] {
  return [...new Set(failures.flatMap(({ culprits }) => culprits))].filter((id) => parties.includes(id))
}

/** Those of the others whom a party holds to be at fault. */
export function accusedBy(accuser: string, failure: PartyFailure, parties: readonly string[]): string[] {
  return culpritsOf([failure], parties).filter((id) => id !== accuser)
}

/** It has answered, with what cannot be so: other than was asked for, or an accusation of somebody who has done nothing wrong. */
export const invalidReply = (from: string): PartyFailure => ({ code: 'invalid_reply', from, culprits: [from] })

function failureCode(error: unknown): string {
  if (error instanceof NoResponders) return 'party_unavailable'
  if (error instanceof RequestTimeout) return 'party_timeout'
  if (error instanceof ForgedReply) return 'reply_forged'
  if (error instanceof InvalidReply) return 'invalid_reply'
  // Its service has answered, if only to say that it cannot.
  if (error instanceof Unavailable && error.dependency !== 'nats') return 'busy'
  throw error
}

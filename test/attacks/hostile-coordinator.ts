/** A coordinator, registered like any other, that leads real parties by hand and tells each whatever it likes. */
import { randomUUID } from 'node:crypto'
import { heardBy } from '../../commands/processes/rounds.ts'
import type {
  CeremonyAttempt,
  CeremonyReply,
  CeremonyRequest,
  Header,
  Heard,
  KeyRequest,
  Statement,
} from '../../domain/ceremony/messages.ts'
import type { Said } from '../../domain/ceremony/statements.ts'
import type { TestSystem } from '../ceremony/system.ts'

const TIMEOUT_MS = 60_000

/** A key generation among parties, at one attempt. */
export type Generation = { attempt: CeremonyAttempt; key: KeyRequest }

export function newGeneration(parties: readonly string[], changes: Partial<CeremonyAttempt & { threshold: number }> = {}): Generation {
  const { threshold = 2, ...given } = changes
  const attempt: CeremonyAttempt = { scheme: 'frost-ed25519', kind: 'key-generation', ceremonyId: randomUUID(), attempt: 1, ...given }
  const authorisation = { method: 'POST', path: '/v1/wallets/test/keys', body: '{}', intent: null }
  return { attempt, key: { keyId: attempt.ceremonyId, threshold, parties, authorisation } }
}

export const ask = (system: TestSystem, header: Omit<Header, 'from'>, request: CeremonyRequest): Promise<CeremonyReply> =>
  system.channel.ask(header, request, { timeoutMs: TIMEOUT_MS })

/** The first round, with one party. @throws when it refuses */
export const open = async (system: TestSystem, { attempt, key }: Generation, to: string): Promise<Said> =>
  said(await ask(system, { ...attempt, round: 1, to }, { type: 'generateKey', key }))

/** The first round, with all of them. */
export async function openAll(system: TestSystem, generation: Generation): Promise<Map<string, Said>> {
  const { parties } = generation.key
  return new Map(await Promise.all(parties.map(async (id) => [id, await open(system, generation, id)] as const)))
}

/** A later round, with one party: what was said in the one before may be changed on the way. */
export async function tell(
  system: TestSystem,
  { attempt }: Generation,
  { to, round }: { to: string; round: number },
  spoken: ReadonlyMap<string, Said>,
  change: (heard: Heard) => Heard = (heard) => heard,
): Promise<CeremonyReply> {
  return ask(system, { ...attempt, round, to }, { type: 'proceed', heard: change(heardBy(to, spoken)) })
}

/** A later round, with all of them, who are told the truth. */
export async function tellAll(system: TestSystem, generation: Generation, round: number, spoken: ReadonlyMap<string, Said>) {
  const { parties } = generation.key
  return new Map(await Promise.all(parties.map(async (to) => [to, said(await tell(system, generation, { to, round }, spoken))] as const)))
}

export function said(reply: CeremonyReply): Said {
  if (reply.type !== 'said') throw new Error(`said something expected, not ${JSON.stringify(reply)}`)
  return reply
}

/** Puts other words into somebody's mouth. */
export const restate =
  (from: string, change: (statement: Statement) => Statement) =>
  (heard: Heard): Heard => ({
    ...heard,
    statements: heard.statements.map((each) => (each.from === from ? { from, statement: change(each.statement) } : each)),
  })

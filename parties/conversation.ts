import { createHash } from 'node:crypto'
import type { CeremonyAttempt, Heard, Secret, Statement } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import type { Witness } from '../domain/ceremony/sayings.ts'
import {
  attemptFields,
  isSecretOf,
  isStatementOf,
  type Moment,
  type Said,
  signSecret,
  signStatement,
} from '../domain/ceremony/statements.ts'
import { transcriptOfBeginning, transcriptOfFirstRound } from '../domain/ceremony/transcript.ts'
import { encodeFields } from '../domain/fields.ts'
import type { Identity, PartyKeys } from '../domain/ports/identity.ts'
import { OpenFailed, type Sealing } from '../domain/ports/sealing.ts'
import { type ByParty, type Outgoing, type Participant, type PartyIndex, ProtocolAbort } from '../domain/threshold/protocol.ts'
import { equalBytes } from '../domain/threshold/rounds.ts'
import { gatherParticipants, type Named } from './participants.ts'
import { refusalOfAbort } from './protocol-refusal.ts'

/** What a party speaks and listens with: its own keys, and those it knows of the others. */
export type Voice = Witness & { readonly identity: Identity; readonly sealing: Sealing }

/** A participant of any protocol, as it speaks through an untrusted carrier. However it ends, nothing secret is left of it. */
export type Conversation<Result> = {
  readonly opening: Said
  /** @throws Refusal `malformed`, `carrier_forged`, and as `refusalOfAbort` */
  hear(heard: Heard): Promise<Said | { type: 'done'; result: Result }>
  destroy(): void
}

export type ConversationOptions<Result> = {
  attempt: CeremonyAttempt
  /** What the ceremony is about, which all participants must have been told alike. */
  context: Uint8Array
  /** Everybody who may take part, this party included. Who of them speaks, and who writes to whom, is the protocol's matter. */
  participants: readonly Named[]
  participant: Pick<Participant<Result>, 'opening' | 'next' | 'destroy'>
  voice: Voice
}

/**
 * Puts party ids for the protocol's numbers, and makes its messages safe in the hands of whoever carries them. Each is signed by its party, for this round
 * alone. What is private is sealed by a party that the registry knows to the key that its recipient has signed for this ceremony. All who go on
 * have been told the same of what they take part in, with whom, and of the first round.
 *
 * A message that its party has not signed was made by the carrier, and convicts no participant; one that is signed and wrong convicts its signer.
 * @throws Refusal `malformed`, Unavailable
 */
export async function converse<Result>(options: ConversationOptions<Result>): Promise<Conversation<Result>> {
  try {
    return await begin(options)
  } catch (error) {
    options.participant.destroy()
    throw error
  }
}

async function begin<Result>(options: ConversationOptions<Result>): Promise<Conversation<Result>> {
  const { attempt, context, participant, voice } = options
  const { identity, sealing, registry } = voice
  const self = identity.id
  const { all, idOf, byNumber } = gatherParticipants(options.participants, self)
  const keysOf = (id: string): PartyKeys => {
    const keys = registry.parties.get(id)
    if (!keys) throw new Refusal('malformed', 'a participant is not in the registry')
    return keys
  }
  const keyPair = sealing.generateKeyPair()
  // In the first round nobody has a key of this ceremony yet: what is private then is sealed to those of the registry.
  let sealingKeys: ReadonlyMap<PartyIndex, Uint8Array> = new Map(all.map(({ id, number }) => [number, keysOf(id).sealing]))
  let transcript = transcriptOfBeginning({ attempt, context, participants: all.map((each) => ({ ...each, keys: keysOf(each.id) })) })
  let at: Moment = { ...attempt, round: 1 }
  let own: Statement

  const destroy = () => {
    keyPair.destroy()
    participant.destroy()
  }

  const contextOf = (from: string, to: string) =>
    encodeFields('quorate sealed message', ...attemptFields(attempt), at.round, from, to, transcript)

  const readStatements = (heard: Heard): Map<PartyIndex, Statement> => {
    const statements = new Map([...byNumber(heard.statements)].map(([party, { statement }]) => [party, statement]))
    for (const { from, statement } of heard.statements) {
      if (!isStatementOf(voice, at, from, statement)) throw new Refusal('carrier_forged', `a statement is not signed by ${from}`)
    }
    if (!heard.statements.some(({ from, statement }) => from === self && equalBytes(statement.signature, own.signature)))
      throw new ProtocolAbort('message_altered', 'what this participant said has been altered on the way')
    if (![...statements.values()].every((statement) => equalBytes(statement.transcript, transcript)))
      throw new ProtocolAbort('equivocation', 'participants were not told the same of the ceremony or of its first round')
    return statements
  }

  const openSecrets = async (
    heard: Heard,
    statements: ReadonlyMap<PartyIndex, Statement>,
    opened: Map<PartyIndex, Uint8Array>,
  ): Promise<void> => {
    for (const [party, { from, ...secret }] of byNumber(heard.secrets)) {
      const statement = statements.get(party)
      if (!statement || !isSecretOf(voice, at, from, { to: self, statement }, secret, sha256))
        throw new Refusal('carrier_forged', `a secret is not signed by ${from}, or not said with this statement`)
      opened.set(party, await open(party, secret))
    }
  }

  const open = async (party: PartyIndex, { sealed }: Secret): Promise<Uint8Array> => {
    const from = idOf(party)
    try {
      return await (at.round === 1 ? sealing : keyPair).open(sealed, contextOf(from, self), keysOf(from).sealing)
    } catch (error) {
      if (!(error instanceof OpenFailed)) throw error
      throw new ProtocolAbort('invalid_message', 'a sealed message does not open', [party])
    }
  }

  const seal = async (party: PartyIndex, plaintext: Uint8Array): Promise<Uint8Array> => {
    const recipient = sealingKeys.get(party)
    if (!recipient) throw new ProtocolAbort('wrong_participants', 'something private is for somebody who is not there')
    try {
      return await sealing.seal(recipient, plaintext, contextOf(self, idOf(party)))
    } catch (error) {
      if (!(error instanceof OpenFailed)) throw error
      throw new ProtocolAbort('invalid_message', 'a key to seal to is none', [party])
    }
  }

  /** All that is said later rests on what was said in the first round. */
  const agree = (statements: ReadonlyMap<PartyIndex, Statement>): void => {
    const inOrder = all.flatMap(({ id, number }) => {
      const statement = statements.get(number)
      return statement ? [{ id, number, broadcast: statement.broadcast, sealingKey: requireSealingKey(number, statement) }] : []
    })
    sealingKeys = new Map(inOrder.map(({ number, sealingKey }) => [number, sealingKey]))
    transcript = transcriptOfFirstRound(transcript, inOrder)
  }

  const speak = async (outgoing: Outgoing, sealingKey: Uint8Array | null = null): Promise<Said> => {
    own = await signStatement(identity, at, { broadcast: outgoing.broadcast, sealingKey, transcript })
    const secrets: { to: string; sealed: Uint8Array; signature: Uint8Array }[] = []
    for (const [party, plaintext] of outgoing.secret) {
      const to = idOf(party)
      secrets.push({ to, ...(await signSecret(identity, at, { to, statement: own }, await seal(party, plaintext), sha256)) })
    }
    return { type: 'said', statement: own, secrets }
  }

  return {
    opening: await wiping(participant.opening.secret, () => speak(participant.opening, keyPair.publicKey)),
    destroy,
    async hear(heard) {
      try {
        const statements = readStatements(heard)
        const broadcasts = new Map([...statements].map(([party, { broadcast }]) => [party, broadcast]))
        const secrets = new Map<PartyIndex, Uint8Array>()
        const step = await wiping(secrets, async () => {
          await openSecrets(heard, statements, secrets)
          if (at.round === 1) agree(statements)
          return participant.next({ broadcasts, secrets })
        })
        at = { ...at, round: at.round + 1 }
        if (step.kind === 'message') return await wiping(step.outgoing.secret, () => speak(step.outgoing))
        destroy()
        return { type: 'done', result: step.result }
      } catch (error) {
        destroy()
        if (!(error instanceof ProtocolAbort)) throw error
        throw refusalOfAbort(error, idOf)
      }
    },
  }
}

/** @throws ProtocolAbort naming the party that has signed a first statement without one */
function requireSealingKey(party: PartyIndex, { sealingKey }: Statement): Uint8Array {
  if (!sealingKey) throw new ProtocolAbort('invalid_message', 'a first statement names no key to seal to', [party])
  return sealingKey
}

/** Does something with secrets, after which nothing is left of them. */
async function wiping<Result>(secrets: ByParty, use: () => Promise<Result>): Promise<Result> {
  try {
    return await use()
  } finally {
    for (const secret of secrets.values()) secret.fill(0)
  }
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

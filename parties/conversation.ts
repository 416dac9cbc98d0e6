import { sha256 } from '@noble/hashes/sha2.js'
import { encodeFields } from '../domain/ceremony/fields.ts'
import type { CeremonyAttempt, CeremonyReply, Heard, Statement } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import type { Sealing } from '../domain/ports/sealing.ts'
import { type Participant, type PartyIndex, ProtocolAbort, type Step } from '../domain/threshold/protocol.ts'
import { equalBytes } from '../domain/threshold/rounds.ts'

export type Said = Extract<CeremonyReply, { type: 'said' }>

/** A participant of any protocol, as it speaks through an untrusted carrier. However it ends, nothing secret is left of it. */
export type Conversation<Result> = {
  readonly opening: Said
  /** @throws Refusal `malformed`, `protocol_abort` */
  hear(heard: Heard): Promise<Said | { type: 'done'; result: Result }>
  destroy(): void
}

/**
 * Puts party ids for the protocol's numbers, seals what is said in private to the key that its recipient has announced for this ceremony, and makes sure that all who go on have
 * heard the same in the first round: whoever was told something else cannot even open what is sealed to it.
 * Who speaks is not proven yet: a coordinator that plays all the other parties to each of them is found out only by messages that are signed.
 */
export function converse<Result>({
  attempt,
  self,
  parties,
  participant,
  sealing,
}: {
  attempt: CeremonyAttempt
  self: string
  parties: readonly string[]
  participant: Pick<Participant<Result>, 'opening' | 'next' | 'destroy'>
  sealing: Sealing
}): Conversation<Result> {
  const keyPair = sealing.generateKeyPair()
  const opening: Statement = { broadcast: participant.opening.broadcast, sealingKey: keyPair.publicKey, transcript: null }
  let round = 1
  let transcript: Uint8Array | undefined
  let sealingKeys: ReadonlyMap<PartyIndex, Uint8Array> = new Map()

  const destroy = () => {
    keyPair.destroy()
    participant.destroy()
  }
  const nameOf = (party: PartyIndex) => parties[party - 1]!
  const numberOf = (id: string): PartyIndex => {
    const at = parties.indexOf(id)
    if (at < 0) throw new Refusal('malformed', 'somebody speaks who is not a participant')
    return at + 1
  }
  const numbered = <Said extends { from: string }>(said: readonly Said[]): Map<PartyIndex, Said> => {
    const byNumber = new Map(said.map((each) => [numberOf(each.from), each]))
    if (byNumber.size !== said.length) throw new Refusal('malformed', 'somebody speaks twice')
    return byNumber
  }
  const contextOf = (secret: { round: number; from: string; to: string }) =>
    encodeFields('quorate sealed message', ...fieldsOf(attempt), secret.round, secret.from, secret.to, transcript!)

  /** Learns from the first round's statements, or checks that the later ones rest on the same. */
  const agree = (statements: ReadonlyMap<PartyIndex, Statement>) => {
    if (transcript) return requireTranscript(statements, transcript)
    const own = statements.get(numberOf(self))
    if (!own?.sealingKey || !equalBytes(own.sealingKey, keyPair.publicKey))
      throw new ProtocolAbort('message_altered', 'what this participant said has been altered on the way')
    const inOrder = [...statements].sort(([a], [b]) => a - b)
    sealingKeys = new Map(inOrder.map(([party, { sealingKey }]) => [party, requireSealingKey(sealingKey)]))
    transcript = sha256(
      encodeFields(
        'quorate first round',
        ...fieldsOf(attempt),
        ...inOrder.flatMap(([party, { broadcast }]) => [nameOf(party), sealingKeys.get(party)!, broadcast]),
      ),
    )
  }

  const openSecrets = async (secrets: Heard['secrets']) => {
    const opened = new Map<PartyIndex, Uint8Array>()
    for (const [party, { from, sealed }] of numbered(secrets)) {
      try {
        opened.set(party, await keyPair.open(sealed, contextOf({ round, from, to: self })))
      } catch {
        throw new ProtocolAbort('invalid_message', 'a sealed message does not open', [party])
      }
    }
    return opened
  }

  const speak = async (step: Extract<Step<Result>, { kind: 'message' }>): Promise<Said> => {
    const secrets: { to: string; sealed: Uint8Array }[] = []
    for (const [party, plaintext] of step.outgoing.secret) {
      const to = nameOf(party)
      const recipient = sealingKeys.get(party)
      if (!recipient) throw new ProtocolAbort('wrong_participants', 'something private is for somebody who is not there')
      secrets.push({ to, sealed: await sealing.seal(recipient, plaintext, contextOf({ round, from: self, to })) })
      plaintext.fill(0)
    }
    return { type: 'said', statement: { broadcast: step.outgoing.broadcast, sealingKey: null, transcript: transcript! }, secrets }
  }

  return {
    opening: { type: 'said', statement: opening, secrets: [] },
    destroy,
    async hear(heard) {
      try {
        const statements = new Map([...numbered(heard.statements)].map(([party, { statement }]) => [party, statement]))
        agree(statements)
        const secrets = await openSecrets(heard.secrets)
        const broadcasts = new Map([...statements].map(([party, { broadcast }]) => [party, broadcast]))
        const step = participant.next({ broadcasts, secrets })
        for (const secret of secrets.values()) secret.fill(0)
        round++
        if (step.kind === 'message') return await speak(step)
        destroy()
        return { type: 'done', result: step.result }
      } catch (error) {
        destroy()
        if (!(error instanceof ProtocolAbort)) throw error
        throw new Refusal('protocol_abort', `${error.code}: ${error.message}`, error.culprits.map(nameOf))
      }
    },
  }
}

const fieldsOf = ({ scheme, kind, ceremonyId, attempt }: CeremonyAttempt) => [scheme, kind, ceremonyId, attempt] as const

function requireSealingKey(sealingKey: Uint8Array | null): Uint8Array {
  if (!sealingKey) throw new Refusal('malformed', 'a first statement names no key to seal to')
  return sealingKey
}

function requireTranscript(statements: ReadonlyMap<PartyIndex, Statement>, transcript: Uint8Array): void {
  for (const { transcript: heard } of statements.values()) {
    if (!heard || !equalBytes(heard, transcript))
      throw new ProtocolAbort('equivocation', 'participants were not told the same in the first round')
  }
}

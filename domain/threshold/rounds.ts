import {
  type ByParty,
  type Incoming,
  type Outgoing,
  type Participant,
  type PartyIndex,
  ProtocolAbort,
  type ProtocolAbortCode,
  type Step,
} from './protocol.ts'

/** One round as a participant hears it: who has to have written to it in private, and what it does. It is finished when `hear` throws. */
export type Stage<Result> = {
  readonly secretsFrom: readonly PartyIndex[]
  readonly hear: (incoming: Incoming) => Step<Result>
}

/**
 * Leads a participant through its stages: in order, each once, each with a broadcast of exactly the participants and secrets of exactly
 * those from whom it expects one, and with its own words unchanged. However the ceremony ends, `wipe` is called, and nothing works afterwards.
 */
export function conduct<Result>(ceremony: {
  self: PartyIndex
  participants: readonly PartyIndex[]
  opening: Outgoing
  stages: readonly Stage<Result>[]
  wipe: () => void
}): Participant<Result> {
  const { self, participants, opening, wipe } = ceremony
  const stages = [...ceremony.stages]
  let said = opening

  const destroy = () => {
    stages.length = 0
    wipe()
  }

  return {
    opening,
    destroy,
    next(incoming) {
      const stage = stages.shift()
      if (!stage) throw new ProtocolAbort('out_of_order', 'the ceremony is over for this participant')
      try {
        requireParticipants(incoming.broadcasts, participants)
        requireParticipants(incoming.secrets, stage.secretsFrom)
        if (!equalBytes(incoming.broadcasts.get(self)!, said.broadcast))
          throw new ProtocolAbort('message_altered', 'what this participant said has been altered on the way')
        const step = stage.hear(incoming)
        if (step.kind === 'message') said = step.outgoing
        else destroy()
        return step
      } catch (error) {
        destroy()
        throw error
      }
    },
  }
}

/** @throws ProtocolAbort `wrong_participants` unless there is a message from each of the participants and from nobody else */
export function requireParticipants(messages: ByParty, participants: readonly PartyIndex[]): void {
  if (messages.size !== participants.length || !participants.every((party) => messages.has(party)))
    throw new ProtocolAbort('wrong_participants', `expected messages of ${list(participants)}, not of ${list([...messages.keys()])}`)
}

/**
 * Makes sure that everybody has seen what this participant has seen.
 * @throws ProtocolAbort naming nobody, as it cannot be known who told different things
 */
export function requireAgreement(broadcasts: ByParty, expected: Uint8Array, code: 'equivocation' | 'package_mismatch'): void {
  const dissenting = [...broadcasts].filter(([, said]) => !equalBytes(said, expected)).map(([party]) => party)
  if (dissenting.length > 0) throw new ProtocolAbort(code, `participants ${dissenting.join(', ')} have seen something else`)
}

/**
 * Applies `read` to everybody's message. A message that makes it throw convicts its sender.
 * @throws ProtocolAbort naming all those whose messages are refused
 */
export function readEach<Message, Read>(
  messages: ReadonlyMap<PartyIndex, Message>,
  code: ProtocolAbortCode,
  read: (message: Message, from: PartyIndex) => Read,
): Map<PartyIndex, Read> {
  const results = new Map<PartyIndex, Read>()
  const culprits: PartyIndex[] = []
  let reason: unknown
  for (const [from, message] of messages) {
    try {
      results.set(from, read(message, from))
    } catch (error) {
      culprits.push(from)
      reason ??= error
    }
  }
  if (culprits.length > 0)
    throw new ProtocolAbort(code, `refused from ${list(culprits)}: ${reason instanceof Error ? reason.message : reason}`, culprits)
  return results
}

/** What convicts the sender of a message; everything else is the fault of who reads it. */
const CONVICTING: readonly ProtocolAbortCode[] = ['invalid_message', 'commitment_mismatch', 'invalid_multiplication']

/**
 * Applies `judge` to everybody's message, where it says itself what is wrong with one. A multiplication that fails has told its sender something, and is
 * never passed over for what is wrong with another's message, as somebody in league with its sender may have said that.
 * @throws ProtocolAbort naming all senders whose messages are refused for the gravest reason, or else for the one that was found first
 */
export function judgeEach<Message, Judged>(
  messages: ReadonlyMap<PartyIndex, Message>,
  judge: (message: Message, from: PartyIndex) => Judged,
): Map<PartyIndex, Judged> {
  const results = new Map<PartyIndex, Judged>()
  const refused = new Map<PartyIndex, ProtocolAbort>()
  for (const [from, message] of messages) {
    try {
      results.set(from, judge(message, from))
    } catch (error) {
      if (!(error instanceof ProtocolAbort && CONVICTING.includes(error.code))) throw error
      refused.set(from, error)
    }
  }
  const reasons = [...refused.values()]
  const reason = reasons.find(({ code }) => code === 'invalid_multiplication') ?? reasons[0]
  if (!reason) return results
  const culprits = [...refused].filter(([, { code }]) => code === reason.code).map(([party]) => party)
  throw new ProtocolAbort(reason.code, `refused from ${list(culprits)}: ${reason.message}`, culprits)
}

/** Compares public values; not in constant time. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

const list = (parties: readonly PartyIndex[]) => (parties.length > 0 ? `participants ${parties.join(', ')}` : 'nobody')

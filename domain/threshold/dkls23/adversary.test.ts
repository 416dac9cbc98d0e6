/** Every message of every round, changed on its way to participant 1 in every way: always an abort, with the right culprit. */
import { utf8ToBytes } from '@noble/hashes/utils.js'
import test, { type ExecutionContext } from 'ava'
import { type ByParty, type Opened, type PartyIndex, ProtocolAbort, type ProtocolAbortCode } from '../protocol.ts'
import { equalBytes } from '../rounds.ts'
import { type Recording, record, relive } from '../testing/replay.ts'
import { dkls23 } from './dkls23.ts'
import { presign } from './presigning.ts'

/** `npm run test:long` makes all changes, each bit of three bytes of each field among them; else it is a change of each kind. */
const THOROUGH = process.env.QUORATE_TESTS === 'all'

const VICTIM = 1
const LIAR = 2
const BYSTANDER = 3
const PARTIES = [VICTIM, LIAR, BYSTANDER]
const DIGEST = dkls23.message(utf8ToBytes('pay 5 to carol'))

/** Which aborts are right, and whether they are to name who sent what was changed. */
type Verdict = { readonly codes: readonly ProtocolAbortCode[]; readonly identifiable: boolean }
const identified = (...codes: ProtocolAbortCode[]): Verdict => ({ codes, identifiable: true })
const nobody = (...codes: ProtocolAbortCode[]): Verdict => ({ codes, identifiable: false })

type Field = { readonly name: string; readonly length: number; readonly flipped: Verdict }

/** One message: its fields in order, and what is to come of changes other than single bits. */
type Message = {
  readonly round: number
  readonly kind: 'broadcasts' | 'secrets'
  readonly fields: readonly Field[]
  readonly wrongLength: Verdict
  /** With what was said in another session, and with zeros unless that is found out otherwise. */
  readonly replaced: Verdict
  readonly zeroed?: Verdict
  /** With what somebody else has said. */
  readonly exchanged: Verdict
}

const DROPPED = nobody('wrong_participants')
const EQUIVOCATION = nobody('equivocation')

type Change = { readonly name: string; readonly verdict: Verdict; apply(messages: ByParty): ByParty }

/** All changes of one message. `elsewhere` is what its sender said in another ceremony, `another` what somebody else said in this one. */
function changesOf(
  { fields, wrongLength, replaced, zeroed = replaced, exchanged }: Omit<Message, 'round' | 'kind'>,
  { said, elsewhere, another }: { said: Uint8Array; elsewhere: Uint8Array; another: Uint8Array },
): Change[] {
  const put =
    (bytes: Uint8Array): Change['apply'] =>
    (messages) =>
      new Map(messages).set(LIAR, bytes)
  const flips: Change[] = []
  let at = 0
  for (const { name, length, flipped } of fields) {
    for (const position of THOROUGH ? [0, length >> 1, length - 1] : [length >> 1])
      for (const bit of THOROUGH ? [0, 1, 2, 3, 4, 5, 6, 7] : [3])
        flips.push({ name: `bit ${bit} of byte ${position} of ${name}`, verdict: flipped, apply: put(flip(said, at + position, bit)) })
    at += length
  }
  return [
    {
      name: 'dropped',
      verdict: DROPPED,
      apply: (messages) => new Map([...messages].filter(([from]) => from !== LIAR)),
    },
    { name: 'zeroed', verdict: zeroed, apply: put(new Uint8Array(said.length)) },
    { name: 'from another session', verdict: replaced, apply: put(elsewhere) },
    // What all say alike, such as an echo, is not changed by an exchange.
    ...(equalBytes(said, another)
      ? []
      : [
          { name: "another party's", verdict: exchanged, apply: put(another) },
          {
            name: "exchanged with another party's",
            verdict: exchanged,
            apply: (messages: ByParty) => new Map(messages).set(LIAR, another).set(BYSTANDER, said),
          },
        ]),
    { name: 'truncated', verdict: wrongLength, apply: put(said.subarray(0, -1)) },
    { name: 'empty', verdict: wrongLength, apply: put(new Uint8Array()) },
    { name: 'longer', verdict: wrongLength, apply: put(Uint8Array.of(...said, 0)) },
    ...flips,
  ]
}

const flip = (bytes: Uint8Array, at: number, bit: number) => bytes.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte))

function abortOf(act: () => unknown): ProtocolAbort | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof ProtocolAbort) return error
    throw error
  }
}

function judge(t: ExecutionContext, change: Change, abort: ProtocolAbort | undefined): void {
  t.truthy(abort, `${change.name}: no abort`)
  if (!abort) return
  t.true(change.verdict.codes.includes(abort.code), `${change.name}: ${abort.code}`)
  const named = change.name.startsWith('exchanged') ? [[LIAR, BYSTANDER], [LIAR]] : [[LIAR]]
  if (change.verdict.identifiable)
    t.true(
      named.some((culprits) => `${culprits}` === `${abort.culprits}`),
      `${change.name}: ${abort.culprits}`,
    )
  else t.deepEqual(abort.culprits, [], change.name)
}

/** Has the victim live through the ceremony once for each change, up to `end`, which goes on with what came of it. */
function attack<Result>(
  name: string,
  {
    messages,
    recording,
    elsewhere,
    end,
  }: {
    messages: readonly Message[]
    recording: () => Recording<Result>
    elsewhere: () => Recording<Result>
    end?: (result: Result) => void
  },
): void {
  for (const message of messages) {
    const { round, kind } = message
    test.serial(`${name}, round ${round}, ${kind === 'secrets' ? 'in private' : 'to all'}`, (t) => {
      t.timeout(3_600_000)
      const heard = recording().heard.get(VICTIM)![round - 1]![kind]
      const changes = changesOf(message, {
        said: heard.get(LIAR)!,
        another: heard.get(BYSTANDER)!,
        elsewhere: elsewhere().heard.get(VICTIM)![round - 1]![kind].get(LIAR)!,
      })
      t.is(
        message.fields.reduce((sum, { length }) => sum + length, 0),
        heard.get(LIAR)!.length,
      )
      for (const change of changes) {
        const live = () => {
          const result = relive(recording(), VICTIM, round, (incoming) => ({ ...incoming, [kind]: change.apply(incoming[kind]) }))
          end?.(result)
        }
        judge(t, change, abortOf(live))
      }
    })
  }
}

const once = <Value>(make: () => Value) => {
  let made: { value: Value } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

const POINT = 33
const HASH = 32
const SCALAR = 32
const BASE_TRANSFERS = 2 * 128 * 65

/** The rounds of key generation and refresh; a refresh has one coefficient less. */
const sharing = (coefficients: number): readonly Message[] => [
  {
    round: 1,
    kind: 'broadcasts',
    fields: [
      { name: 'commitment to the polynomial', length: HASH, flipped: EQUIVOCATION },
      { name: 'commitment to the first seed', length: HASH, flipped: EQUIVOCATION },
      { name: 'commitment to the second seed', length: HASH, flipped: EQUIVOCATION },
    ],
    wrongLength: identified('invalid_message'),
    replaced: EQUIVOCATION,
    exchanged: EQUIVOCATION,
  },
  {
    round: 2,
    kind: 'broadcasts',
    fields: [
      { name: 'echo', length: HASH, flipped: EQUIVOCATION },
      { name: 'salt', length: HASH, flipped: identified('commitment_mismatch') },
      { name: 'polynomial', length: coefficients * POINT, flipped: identified('commitment_mismatch') },
      { name: 'proof', length: POINT + SCALAR, flipped: identified('commitment_mismatch') },
    ],
    wrongLength: identified('invalid_message'),
    replaced: EQUIVOCATION,
    exchanged: identified('commitment_mismatch'),
  },
  {
    round: 2,
    kind: 'secrets',
    fields: [
      { name: 'salt', length: HASH, flipped: identified('commitment_mismatch') },
      { name: 'seed', length: HASH, flipped: identified('commitment_mismatch') },
      { name: 'base transfers', length: BASE_TRANSFERS, flipped: identified('invalid_message') },
    ],
    wrongLength: identified('invalid_message', 'commitment_mismatch'),
    replaced: identified('commitment_mismatch'),
    exchanged: identified('commitment_mismatch'),
  },
  {
    round: 3,
    kind: 'broadcasts',
    fields: [{ name: 'echo', length: HASH, flipped: EQUIVOCATION }],
    wrongLength: EQUIVOCATION,
    replaced: EQUIVOCATION,
    exchanged: EQUIVOCATION,
  },
  {
    round: 3,
    kind: 'secrets',
    fields: [
      { name: 'value', length: SCALAR, flipped: identified('invalid_secret_share') },
      { name: 'answer to the base transfers', length: 65, flipped: identified('invalid_message') },
    ],
    wrongLength: identified('invalid_message', 'invalid_secret_share'),
    replaced: identified('invalid_secret_share'),
    exchanged: identified('invalid_secret_share'),
  },
  {
    round: 4,
    kind: 'broadcasts',
    fields: [{ name: 'confirmation', length: HASH, flipped: nobody('package_mismatch') }],
    wrongLength: nobody('package_mismatch'),
    replaced: nobody('package_mismatch'),
    exchanged: nobody('package_mismatch'),
  },
]

const generation = (context: string) => () =>
  record(PARTIES, (self, rng) => dkls23.keyGeneration({ self, threshold: 2, parties: 3, context: utf8ToBytes(context), rng }), context)
const generated = once(generation('key 1'))
attack('key generation', { messages: sharing(2), recording: generated, elsewhere: once(generation('key 2')) })

const refreshing = (context: string) => () =>
  record(PARTIES, (self, rng) => dkls23.refresh({ key: generated().results.get(self)!, context: utf8ToBytes(context), rng }), context)
if (THOROUGH) attack('refresh', { messages: sharing(1), recording: once(refreshing('epoch 1')), elsewhere: once(refreshing('epoch 2')) })

const MULTIPLIED = identified('invalid_multiplication', 'invalid_message')
const BOBS_MESSAGE = 8_784
const ALICES_REPLY = 53_376

const PRESIGNING: readonly Message[] = [
  {
    round: 1,
    kind: 'broadcasts',
    fields: [{ name: 'commitment to R', length: HASH, flipped: EQUIVOCATION }],
    wrongLength: identified('invalid_message'),
    replaced: EQUIVOCATION,
    exchanged: EQUIVOCATION,
  },
  {
    round: 1,
    kind: 'secrets',
    fields: [{ name: "Bob's message", length: BOBS_MESSAGE, flipped: identified('invalid_multiplication') }],
    wrongLength: identified('invalid_message'),
    replaced: identified('invalid_multiplication'),
    exchanged: identified('invalid_multiplication'),
  },
  {
    round: 2,
    kind: 'broadcasts',
    fields: [
      { name: 'echo', length: HASH, flipped: EQUIVOCATION },
      { name: 'salt', length: HASH, flipped: identified('commitment_mismatch') },
      { name: 'R', length: POINT, flipped: identified('commitment_mismatch') },
      { name: 'pk', length: POINT, flipped: MULTIPLIED },
    ],
    wrongLength: identified('invalid_message'),
    replaced: EQUIVOCATION,
    zeroed: identified('invalid_message'),
    exchanged: identified('commitment_mismatch'),
  },
  {
    round: 2,
    kind: 'secrets',
    fields: [
      { name: 'Gamma of R', length: POINT, flipped: MULTIPLIED },
      { name: 'Gamma of pk', length: POINT, flipped: MULTIPLIED },
      { name: 'psi', length: SCALAR, flipped: nobody('invalid_contribution') },
      { name: "Alice's reply", length: ALICES_REPLY, flipped: MULTIPLIED },
    ],
    wrongLength: identified('invalid_message'),
    replaced: MULTIPLIED,
    exchanged: MULTIPLIED,
  },
]

const presigning = (context: string) => () =>
  record(
    PARTIES,
    (self, rng) => presign({ key: generated().results.get(self)!, signers: PARTIES, context: utf8ToBytes(context), rng }),
    context,
  )
const presigned = once(presigning('opening 1'))
const presignedElsewhere = once(presigning('opening 2'))

const openingsOf = ({ results }: Recording<Opened>) => new Map([...results].map(([party, { broadcast }]) => [party, broadcast]))
const taskOf = (self: PartyIndex) => ({ key: generated().results.get(self)!, path: [0, 5], signers: PARTIES, message: DIGEST })
const contributionsOf = (recording: Recording<Opened>) =>
  new Map([...recording.results].map(([self, signer]) => [self, signer.contribute(taskOf(self), openingsOf(recording))]))
const contributed = once(() => contributionsOf(presigned()))
const contributedElsewhere = once(() => contributionsOf(presignedElsewhere()))

/** The victim signs with the others. */
const sign = (signer: Opened, openings = openingsOf(presigned())) => {
  const heard = new Map(openings).set(VICTIM, signer.broadcast)
  return aggregate(new Map(contributed()).set(VICTIM, signer.contribute(taskOf(VICTIM), heard)))
}
const aggregate = (contributions: ByParty) => {
  const { publicPackage } = generated().results.get(VICTIM)!
  return dkls23.aggregate({ ...taskOf(VICTIM), publicPackage, broadcasts: openingsOf(presigned()), contributions })
}

attack('presigning', { messages: PRESIGNING, recording: presigned, elsewhere: presignedElsewhere, end: (signer) => sign(signer) })

test.serial('what nobody changes makes a signature', (t) => {
  const { publicKey } = dkls23.derive(generated().results.get(VICTIM)!.publicPackage, [0, 5])
  t.true(dkls23.verify(publicKey, DIGEST, aggregate(contributed()).signature))
  const signer = relive(presigned(), VICTIM, 1, (incoming) => incoming)
  t.true(dkls23.verify(publicKey, DIGEST, sign(signer).signature))
})

test.serial('openings', (t) => {
  const openings = openingsOf(presigned())
  const changes = changesOf(
    {
      fields: [
        { name: 'R', length: POINT, flipped: EQUIVOCATION },
        { name: 'transcript', length: HASH, flipped: EQUIVOCATION },
      ],
      wrongLength: EQUIVOCATION,
      replaced: EQUIVOCATION,
      exchanged: EQUIVOCATION,
    },
    { said: openings.get(LIAR)!, another: openings.get(BYSTANDER)!, elsewhere: openingsOf(presignedElsewhere()).get(LIAR)! },
  )
  for (const change of changes) {
    const signer = relive(presigned(), VICTIM, 1, (incoming) => incoming)
    judge(
      t,
      change,
      abortOf(() => sign(signer, new Map(change.apply(openings)))),
    )
  }
})

test.serial('contributions', (t) => {
  const unknown = nobody('invalid_contribution')
  const changes = changesOf(
    {
      fields: [
        { name: 'u', length: SCALAR, flipped: unknown },
        { name: 'w', length: SCALAR, flipped: unknown },
      ],
      wrongLength: identified('invalid_contribution'),
      replaced: unknown,
      exchanged: unknown,
    },
    { said: contributed().get(LIAR)!, another: contributed().get(BYSTANDER)!, elsewhere: contributedElsewhere().get(LIAR)! },
  )
  // They are added up: whose they are does not matter.
  for (const change of changes)
    if (!change.name.startsWith('exchanged'))
      judge(
        t,
        change,
        abortOf(() => aggregate(change.apply(contributed()))),
      )
})

import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { encodeRequest } from '../../adapters/nats/ceremony-codec.ts'
import { heardBy } from '../../commands/processes/rounds.ts'
import type { CeremonyRequest, Header } from '../../domain/ceremony/messages.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { isSignature } from '../ceremony/verify.ts'
import { newGeneration, openAll, tellAll } from './hostile-coordinator.ts'
import { send, signed } from './raw-request.ts'

/** 100,000 take some minutes: `QUORATE_FUZZ_MESSAGES=100000 npx ava --timeout 20m dist/test/attacks/malformed-messages.test.js`. */
const MESSAGES = Number(process.env.QUORATE_FUZZ_MESSAGES ?? 1_000)
/** A seed that was logged makes the same messages again. */
const SEED = process.env.QUORATE_FUZZ_SEED ?? randomBytes(8).toString('hex')
const AT_ONCE = 32
const MAX_GROWTH_BYTES = 64 * 1024 * 1024
const VICTIM = 'party-1'
const PARTIES = [VICTIM, 'party-2']

let system: TestSystem
test.before(async () => {
  system = await startTestSystem({ parties: 2 })
})
test.after.always(() => system?.close())

test('whatever is sent to a party, it answers, grows no larger, and signs afterwards', async (t) => {
  t.timeout(Math.max(120_000, MESSAGES * 20))
  t.log(`${MESSAGES} messages, QUORATE_FUZZ_SEED=${SEED}`)
  const wallet = await system.createWallet()
  const key = await system.generateKey(wallet, { scheme: 'frost-ed25519', threshold: 2, parties: PARTIES })
  const draw = drawing(SEED)
  const templates = await requestsOfEveryKind()
  const before = memoryInUse()
  const answers = new Map<string, number>()

  for (let sent = 0; sent < MESSAGES; sent += AT_ONCE) {
    const payloads = await Promise.all(Array.from({ length: AT_ONCE }, () => message(draw, templates)))
    for (const { reply, isSigned } of await Promise.all(payloads.map((payload) => send(system, VICTIM, payload)))) {
      t.true(isSigned)
      const kind = reply.type === 'refused' ? reply.code : reply.type
      answers.set(kind, (answers.get(kind) ?? 0) + 1)
    }
  }

  t.log(Object.fromEntries(answers))
  // Each way of refusing was tried, and nothing was a surprise to the party.
  for (const code of ['malformed', 'unknown_sender', 'signature_invalid']) t.true((answers.get(code) ?? 0) > 0, code)
  t.is(answers.get('internal') ?? 0, 0)
  t.deepEqual(system.failures, [])
  t.true(memoryInUse() - before < MAX_GROWTH_BYTES)
  const said = Buffer.from('still here')
  const session = await system.sign(key, said)
  t.true(isSignature(key.scheme, key.publicKey!, said, session.signature))
})

/** A whole number below another; or bytes. */
type Draw = { (below: number): number; bytes(length: number): Buffer }
type Template = { header: Header; content: Uint8Array }

/** Valid requests, as a coordinator sends them: what is made of them gets further than noise. */
async function requestsOfEveryKind(): Promise<Template[]> {
  const generation = newGeneration(PARTIES)
  const first = await openAll(system, generation)
  const second = await tellAll(system, generation, 2, first)
  const { attempt, key } = generation
  const { authorisation } = key
  const share = { keyId: key.keyId, epoch: 1, attempt: 1, publicKey: new Uint8Array(32).fill(5) }
  const openings = PARTIES.map((partyId) => ({
    id: new Uint8Array(16).fill(6),
    partyId,
    keyId: key.keyId,
    epoch: 1,
    broadcast: new Uint8Array(64),
    expiresAt: Date.now() + 60_000,
    signature: new Uint8Array(64),
  }))
  const asked = { share, path: 'm/0/5', authorisation, approvals: [authorisation], transaction: null }
  const task = { ...asked, openings }
  const joint = { ...asked, signers: PARTIES }
  const transaction = { chain: 'eip155:1', transferId: 'transfer', unsigned: Buffer.alloc(200, 1), index: 0, replacement: authorisation }
  const contents: [CeremonyRequest, Partial<Header>][] = [
    [{ type: 'generateKey', key }, {}],
    [{ type: 'proceed', heard: heardBy(VICTIM, first) }, { round: 2 }],
    [{ type: 'proceed', heard: heardBy(VICTIM, second) }, { round: 3 }],
    [{ type: 'open', share, count: 2 }, { kind: 'opening' }],
    [{ type: 'abandon', openings: [openings[0]!.id] }, { kind: 'opening' }],
    [{ type: 'sign', task }, { kind: 'signing' }],
    [{ type: 'presign', share, signers: PARTIES }, { kind: 'opening' }],
    [{ type: 'signTogether', task: joint }, { kind: 'signing' }],
    [{ type: 'sign', task: { ...task, transaction } }, { kind: 'signing' }],
    [{ type: 'signTogether', task: { ...joint, transaction } }, { kind: 'signing' }],
    [{ type: 'refreshKey', share, authorisation }, { kind: 'refresh' }],
    [{ type: 'confirmRefresh', share }, { kind: 'refresh-completion' }],
    [
      { type: 'completeRefresh', share, confirmations: PARTIES.map((from) => ({ from, signature: new Uint8Array(64) })) },
      { kind: 'refresh-completion' },
    ],
    [{ type: 'discardRefresh', share }, { kind: 'refresh-completion' }],
    [
      {
        type: 'recoverShare',
        recovery: {
          key: { ...share, threshold: 2, parties: PARTIES, publicPackage: new Uint8Array(200), policy: key.policy },
          lost: VICTIM,
          helpers: PARTIES.filter((id) => id !== VICTIM),
          authorisation,
        },
      },
      { kind: 'recovery' },
    ],
    [{ type: 'destroyShares', keyId: key.keyId, authorisation }, { kind: 'revocation' }],
    [{ type: 'changePolicy', change: { keyId: key.keyId, version: 2, authorisation, approvals: ['a.b.c'] } }, { kind: 'policy-change' }],
  ]
  return contents.map(([request, header]) => ({
    header: { ...attempt, round: 1, from: 'coordinator', to: VICTIM, ...header },
    content: encodeRequest(request),
  }))
}

/** Noise; a request changed on the way; one changed by a coordinator, which signs it as it is then; or one in another’s name. */
async function message(draw: Draw, templates: readonly Template[]): Promise<Uint8Array> {
  const { header, content } = templates[draw(templates.length)]!
  const { coordinator } = system.identities
  switch (draw(4)) {
    case 0:
      return noise(draw, draw(8) === 0 ? 100_000 : 300)
    case 1:
      return mutated(draw, await signed(coordinator, header, content))
    case 2:
      return signed(coordinator, header, mutated(draw, content))
    default:
      return signed(coordinator, { ...header, from: ['nobody', 'party-2', VICTIM][draw(3)]! }, content)
  }
}

/** A few bytes replaced, left out, repeated or put in. */
function mutated(draw: Draw, bytes: Uint8Array): Uint8Array {
  let changed = Buffer.from(bytes)
  for (let changes = 1 + draw(4); changes > 0; changes--) {
    const at = draw(changed.length + 1)
    const length = draw(16)
    const [head, tail] = [changed.subarray(0, at), changed.subarray(at)]
    const middle = [
      () => noise(draw, length),
      () => changed.subarray(Math.max(0, at - length), at),
      () => Buffer.of(tail[0] ?? 0).map((byte) => byte ^ (1 << draw(8))),
      () => Buffer.alloc(0),
    ][draw(4)]!()
    changed = Buffer.concat([head, middle, tail.subarray(draw(2) === 0 ? middle.length : draw(length + 1))])
  }
  return changed
}

const noise = (draw: Draw, below: number) => draw.bytes(draw(below + 1))

/** Looks random, and is the same for the same seed. */
function drawing(seed: string): Draw {
  const stream = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16))
  const bytes = (length: number) => stream.update(Buffer.alloc(length))
  return Object.assign((below: number) => bytes(4).readUInt32LE(0) % below, { bytes })
}

/** After everything that nobody holds any more is gone. */
function memoryInUse(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

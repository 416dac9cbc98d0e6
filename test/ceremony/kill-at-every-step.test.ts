/** A party is killed at each step of each ceremony in turn, before and after it has done its work, and comes back with what was on its disk. */
import test from 'ava'
import type { CeremonyKind } from '../../domain/ceremony/messages.ts'
import { keyShareStream } from '../../domain/key-share/events.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { until } from '../crash/condition.ts'
import { everyQuorumSigns, loseShares, onlyInForce, onlyRevoked } from './key-checks.ts'
import { startTestSystem, type TestSystem } from './system.ts'
import { isSignature } from './verify.ts'

const SCHEME = 'frost-secp256k1-tr'
/** Its signers open together: that takes rounds of its own, ahead or as they sign. */
const JOINT = 'dkls23-secp256k1'
const HOLDERS = ['party-1', 'party-2', 'party-3']
const VICTIM = 'party-2'
const WITHIN_MS = 10_000
const POINTS = ['asked', 'worked'] as const
const message = new TextEncoder().encode('pay nobody')
const { rounds } = protocolOf(SCHEME)
const joint = protocolOf(JOINT)
const JOINT_ROUNDS = joint.signing.openedBy === 'all' ? joint.signing.rounds + 1 : 0

type Step = { kind: CeremonyKind; round: number; point: (typeof POINTS)[number] }

const stepsOf = (kind: CeremonyKind, last: number): Step[] =>
  Array.from({ length: last }, (_, index) => POINTS.map((point) => ({ kind, round: index + 1, point }))).flat()

let system: TestSystem
let walletId: string

test.before(async () => {
  system = await startTestSystem({ parties: 3 })
  walletId = await system.createWallet()
})
test.after.always(() => system?.close())

const generate = (scheme: Scheme = SCHEME, wallet = walletId) => system.generateKey(wallet, { scheme, threshold: 2, parties: HOLDERS })

/** The key once every holder has the new share, and nothing else. */
async function refresh({ keyId }: ExistingKeyShare): Promise<ExistingKeyShare> {
  const refreshed = await system.refresh(keyId)
  await onlyInForce(system, refreshed)
  return refreshed
}

/** Does the work, in the course of which the victim has to have come as far as that, and died. */
async function killingAt<T>({ kind, round, point }: Step, work: () => Promise<T>): Promise<T> {
  const victim = system.party(VICTIM)
  let died = false
  victim.diesAt = ({ header }, at) => {
    died ||= header.kind === kind && header.round === round && at === point
    return died
  }
  const result = await work()
  // What is waited for can be seen before the victim's answer is on its way.
  await until(
    () => died,
    () => `${VICTIM} has not come to ${kind} round ${round}`,
    WITHIN_MS,
  )
  await victim.lives()
  return result
}

for (const step of stepsOf('key-generation', rounds.keyGeneration + 1)) {
  test.serial(`key generation, ${nameOf(step)}`, async (t) => {
    const key = await killingAt(step, () => generate())
    t.is(key.status, 'active')
    await everyQuorumSigns(t, system, key)
  })
}

for (const scheme of [SCHEME, JOINT] as const) {
  const { rounds } = protocolOf(scheme)
  let key: ExistingKeyShare

  test.serial(`${scheme}: a key to refresh and recover`, async (t) => {
    key = await generate(scheme)
    t.is(key.status, 'active')
  })

  for (const step of [...stepsOf('refresh', rounds.refresh + 1), ...stepsOf('refresh-completion', 2)]) {
    test.serial(`${scheme}: refresh, ${nameOf(step)}`, async (t) => {
      const { epoch, publicKey } = key
      key = await killingAt(step, () => refresh(key))
      t.like(key, { status: 'active', epoch: epoch + 1, publicKey })
      await everyQuorumSigns(t, system, key)
    })
  }

  for (const [lost, whose] of [
    [VICTIM, 'of the party that has lost its share'],
    ['party-3', 'of a holder that helps'],
  ] as const)
    for (const step of stepsOf('recovery', rounds.recovery + 1)) {
      test.serial(`${scheme}: recovery, ${nameOf(step)}, ${whose}`, async (t) => {
        const { publicKey } = key
        await loseShares(system, lost)
        const recovered = await killingAt(step, () => system.recover(key.keyId, lost))
        const last = (await system.events(keyShareStream(key.keyId))).at(-1)
        t.is(last?.type, 'ShareRecovered')
        // What pairs of holders have in common is not given back, but comes with a refresh.
        key = scheme === JOINT ? await refresh(key) : recovered
        await onlyInForce(system, key)
        t.is(key.publicKey, publicKey)
        await everyQuorumSigns(t, system, key)
      })
    }
}

for (const step of [...stepsOf('opening', 1), ...stepsOf('signing', 1)]) {
  test.serial(`signing, ${nameOf(step)}`, async (t) => {
    const key = await generate()
    // With one holder away the victim is needed.
    await system.party('party-1').kill()
    const message = new TextEncoder().encode(nameOf(step))
    const session = await killingAt(step, () => system.sign(key, message))
    await system.party('party-1').revive()
    t.true(isSignature(SCHEME, key.publicKey!, message, session.signature), JSON.stringify(session.failure))
    await everyQuorumSigns(t, system, key)
  })
}

for (const step of stepsOf('key-generation', joint.rounds.keyGeneration + 1)) {
  test.serial(`${JOINT}: key generation, ${nameOf(step)}`, async (t) => {
    const key = await killingAt(step, () => generate(JOINT))
    t.is(key.status, 'active')
    await everyQuorumSigns(t, system, key)
  })
}

for (const step of stepsOf('signing', JOINT_ROUNDS)) {
  test.serial(`${JOINT}: signing, ${nameOf(step)}`, async (t) => {
    const key = await generate(JOINT)
    // With one holder away the victim is needed.
    await system.party('party-1').kill()
    const session = await killingAt(step, () => system.sign(key, message))
    await system.party('party-1').revive()
    t.true(isSignature(JOINT, key.publicKey!, message, session.signature), JSON.stringify(session.failure))
    await everyQuorumSigns(t, system, key)
  })
}

for (const step of stepsOf('opening', JOINT_ROUNDS)) {
  test.serial(`${JOINT}: opening ahead, ${nameOf(step)}`, async (t) => {
    const stocked = await system.createWallet({ rawDigests: false, presignatures: 10 })
    const parties = ['party-1', VICTIM]
    const key = await killingAt(step, () => system.generateKey(stocked, { scheme: JOINT, threshold: 2, parties }))
    await system.stocked(key, 10)
    t.true(isSignature(JOINT, key.publicKey!, message, (await system.sign(key, message)).signature))
    await system.revoke(key.keyId)
  })
}

for (const point of POINTS) {
  test.serial(`revocation, ${nameOf({ kind: 'revocation', round: 1, point })}`, async (t) => {
    const key = await generate()
    await killingAt({ kind: 'revocation', round: 1, point }, async () => {
      await system.revoke(key.keyId)
      await onlyRevoked(system, key)
    })
    t.like(await system.sign(key, new Uint8Array(1)), { status: 'failed', failure: { code: 'key_not_active' } })
  })
}

function nameOf({ kind, round, point }: Step): string {
  return `${kind} round ${round}, ${point === 'asked' ? 'before the work is done' : 'when it is done and not yet answered'}`
}

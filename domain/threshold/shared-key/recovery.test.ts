import { bytesToHex } from '@noble/hashes/utils.js'
import test from 'ava'
import type { KeyMaterial, Participant, PartyIndex } from '../protocol.ts'
import { protocolOf } from '../registry.ts'
import { FROST_SCHEMES } from '../testing/ciphersuites.ts'
import { CEREMONY, generateKey, recover, rng, type Tamper } from '../testing/star.ts'
import { throwsAbort } from '../testing/throws-abort.ts'

for (const scheme of FROST_SCHEMES) {
  const protocol = protocolOf(scheme)
  const keys = generateKey(protocol, { threshold: 2, parties: 4 })
  const { publicPackage } = keys.get(1)!
  const recovery = { lost: 3, helpers: [4, 1], publicPackage }

  test(`${scheme}: more helpers than are needed, in any order, help as well`, (t) => {
    for (const helpers of [
      [4, 1],
      [1, 4],
      [4, 2, 1],
    ])
      t.deepEqual(recover(protocol, keys, { ...recovery, helpers }), keys.get(3)!)
  })

  test(`${scheme}: secrets come from whom they are expected, in the round in which they are expected`, (t) => {
    const without =
      (inRound: number, from: PartyIndex, to: PartyIndex): Tamper =>
      (incoming, at) =>
        at.round === inRound && at.to === to
          ? { ...incoming, secrets: new Map([...incoming.secrets].filter(([party]) => party !== from)) }
          : incoming
    const also =
      (inRound: number, from: PartyIndex, to: PartyIndex): Tamper =>
      (incoming, at) =>
        at.round === inRound && at.to === to ? { ...incoming, secrets: new Map(incoming.secrets).set(from, new Uint8Array(32)) } : incoming
    for (const tamper of [
      without(2, 4, 1),
      without(3, 4, 3),
      also(1, 4, 1),
      also(1, 4, 3),
      also(2, 3, 1),
      also(2, 1, 3),
      also(3, 4, 1),
      also(3, 2, 3),
    ])
      throwsAbort(t, () => recover(protocol, keys, recovery, tamper), 'wrong_participants')
  })

  test(`${scheme}: every participant notices in every round when its own words were altered`, (t) => {
    for (const self of [1, 3, 4])
      for (const round of [1, 2, 3]) {
        const tamper: Tamper = (incoming, at) => {
          if (at.round !== round || at.to !== self) return incoming
          const flipped = incoming.broadcasts.get(self)!.map((byte, i) => (i === 3 ? byte ^ 1 : byte))
          return { ...incoming, broadcasts: new Map(incoming.broadcasts).set(self, flipped) }
        }
        throwsAbort(t, () => recover(protocol, keys, recovery, tamper), 'message_altered')
      }
  })

  test(`${scheme}: a helper ends with nothing, draws fresh randomness, wipes it, and leaves its share as it was`, (t) => {
    const drawn: Uint8Array[] = []
    const asDrawn: string[] = []
    const remembering = (length: number) => {
      const bytes = rng(length)
      drawn.push(bytes)
      asDrawn.push(bytesToHex(bytes))
      return bytes
    }
    const own = { ...keys.get(1)!, share: keys.get(1)!.share.slice() }
    const alone = { lost: 3, helpers: [1, 2, 4], self: 1, key: own, publicPackage, context: CEREMONY, rng: remembering }
    for (let time = 0; time < 2; time++) protocol.recovery(alone).destroy()
    t.is(drawn.length, 4)
    t.is(new Set(asDrawn).size, 4)
    for (const bytes of drawn) t.regex(bytesToHex(bytes), /^0+$/)
    t.deepEqual(own, keys.get(1)!)
  })

  test(`${scheme}: each protocol takes as many rounds as it says`, (t) => {
    const single = generateKey(protocol, { threshold: 1, parties: 2 })
    const context = CEREMONY
    t.is(roundsOf(protocol.keyGeneration({ self: 1, threshold: 1, parties: 1, context, rng })), protocol.rounds.keyGeneration)
    const ofRecovery = { lost: 2, helpers: [1], publicPackage: single.get(1)!.publicPackage, context, rng }
    const helper = protocol.recovery({ ...ofRecovery, self: 1, key: single.get(1)! })
    const loser = protocol.recovery({ ...ofRecovery, self: 2 })
    const { rounds, results } = talk(
      new Map<PartyIndex, Participant<KeyMaterial | null>>([
        [1, helper],
        [2, loser],
      ]),
    )
    t.is(rounds, protocol.rounds.recovery)
    t.deepEqual(results, [null, single.get(2)!])
    const refreshing = new Map([1, 2, 3, 4].map((self) => [self, protocol.refresh({ key: keys.get(self)!, context, rng })]))
    t.is(talk(refreshing).rounds, protocol.rounds.refresh)
  })
}

const roundsOf = <Result>(alone: Pick<Participant<Result>, 'opening' | 'next'>) => talk(new Map([[1, alone]])).rounds

/** How often each participant speaks before all are done. */
function talk<Result>(participants: ReadonlyMap<PartyIndex, Pick<Participant<Result>, 'opening' | 'next'>>): {
  rounds: number
  results: Result[]
} {
  let said = new Map([...participants].map(([self, { opening }]) => [self, opening]))
  for (let rounds = 1; ; rounds++) {
    const broadcasts = new Map([...said].map(([from, { broadcast }]) => [from, broadcast]))
    const steps = [...participants].map(([self, participant]) => {
      const secrets = [...said].flatMap(([from, { secret }]) => (secret.has(self) ? [[from, secret.get(self)!] as const] : []))
      return [self, participant.next({ broadcasts, secrets: new Map(secrets) })] as const
    })
    const results = steps.flatMap(([, step]) => (step.kind === 'done' ? [step.result] : []))
    if (results.length > 0) return { rounds, results }
    said = new Map(steps.flatMap(([self, step]) => (step.kind === 'message' ? [[self, step.outgoing] as const] : [])))
  }
}

import { setImmediate } from 'node:timers/promises'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import type { KeyMaterial, PartyIndex, ThresholdProtocol } from '../protocol.ts'
import { protocolOf } from '../registry.ts'
import type { Scheme } from '../scheme.ts'
import { subsets } from './quorums.ts'
import { generateKey, recover, refresh, sign } from './star.ts'
import { VERIFIERS } from './verifiers.ts'

const MESSAGE = utf8ToBytes('pay 5 to carol')
const PARTIES = [1, 2, 3, 4, 5]

type Keys = ReadonlyMap<PartyIndex, KeyMaterial>

/** Tests that in every size a refreshed key signs, in every quorum. */
export function testRefreshes(scheme: Scheme): void {
  const protocol = protocolOf(scheme)
  for (const { threshold, parties } of sizesOf(protocol)) {
    if (threshold === 1) continue
    test(`${scheme}: ${threshold} of ${parties}: after a refresh every quorum signs for the same key`, async (t) => {
      await resultsReported()
      const all = PARTIES.slice(0, parties)
      const before = generateKey(protocol, { threshold, parties })
      const after = refresh(protocol, before)
      t.deepEqual([...after.keys()], all)
      requireNewShares(t, before, after)
      for (const quorum of subsets(all, threshold)) signs(t, scheme, { publicKey: before.get(1)!.publicKey, keys: after, quorum })
    })
  }
}

/** Tests that in every size each holder can be given its share back, and signs with it. */
export function testRecoveries(scheme: Scheme): void {
  const protocol = protocolOf(scheme)
  for (const { threshold, parties } of sizesOf(protocol)) {
    if (threshold === parties) continue
    test(`${scheme}: ${threshold} of ${parties}: each participant gets its lost share back, and signs with it`, async (t) => {
      await resultsReported()
      const all = PARTIES.slice(0, parties)
      const keys = generateKey(protocol, { threshold, parties })
      const { publicPackage, publicKey } = keys.get(1)!
      for (const lost of all) {
        const others = all.filter((party) => party !== lost)
        const helpers = others.slice(-threshold)
        const recovered = recover(protocol, without(keys, lost), { lost, helpers, publicPackage })
        t.deepEqual({ ...keys.get(lost)!, share: keys.get(lost)!.share.slice(0, recovered.share.length) }, recovered)
        const quorum = [...others.slice(0, threshold - 1), lost]
        signs(t, scheme, { publicKey, keys: whole(protocol, new Map(keys).set(lost, recovered)), quorum })
      }
    })
  }
}

/** Tests that a key survives any sequence of refreshes and recoveries. */
export function testWholeLives(scheme: Scheme): void {
  const protocol = protocolOf(scheme)
  test(`${scheme}: whatever happens to a key, every quorum signs at every path, and the key stays the same`, async (t) => {
    await resultsReported()
    const indices = fc.array(fc.nat(2 ** 31 - 1), { maxLength: 3 })
    const life = fc.array(fc.oneof(fc.constant('refresh' as const), fc.record({ lost: fc.nat(), rotation: fc.nat() })), {
      minLength: 1,
      maxLength: 4,
    })
    const sizes = fc
      .integer({ min: 2, max: 4 })
      .chain((threshold) => fc.record({ threshold: fc.constant(threshold), parties: fc.integer({ min: threshold + 1, max: 5 }) }))
    fc.assert(
      fc.property(sizes, life, indices, fc.nat(), ({ threshold, parties }, events, path, choice) => {
        const all = PARTIES.slice(0, parties)
        let keys: Keys = generateKey(protocol, { threshold, parties })
        const { publicKey, publicPackage } = keys.get(1)!
        const derived = protocol.derive(publicPackage, path)
        for (const event of events) keys = happens(protocol, keys, event)
        t.deepEqual(keys.get(1)!.publicKey, publicKey)
        t.deepEqual(protocol.derive(keys.get(1)!.publicPackage, path), derived)
        const quorums = subsets(all, threshold)
        const quorum = quorums[choice % quorums.length]!
        const message = protocol.message(MESSAGE)
        t.true(VERIFIERS[scheme](derived.publicKey, message, sign(protocol, keys, quorum, message, path).signature))
      }),
      { numRuns: 8 },
    )
  })
}

function sizesOf(protocol: ThresholdProtocol): { threshold: number; parties: number }[] {
  const fewest = protocol.signing.openedBy === 'all' ? 2 : 1
  return PARTIES.flatMap((parties) =>
    PARTIES.filter((threshold) => threshold >= fewest && threshold <= parties && threshold <= 4).map((threshold) => ({
      threshold,
      parties,
    })),
  )
}

function happens(protocol: ThresholdProtocol, keys: Keys, event: 'refresh' | { lost: number; rotation: number }): Keys {
  if (event === 'refresh') return refresh(protocol, keys)
  const all = [...keys.keys()]
  const { publicPackage } = keys.get(1)!
  const { threshold } = protocol.inspect(publicPackage)
  const lost = all[event.lost % all.length]!
  const others = all.filter((party) => party !== lost)
  const start = event.rotation % others.length
  const helpers = [...others.slice(start), ...others.slice(0, start)].slice(0, threshold)
  return whole(protocol, new Map(keys).set(lost, recover(protocol, without(keys, lost), { lost, helpers, publicPackage })))
}

/** Where pairs of holders have secrets in common, a recovered share signs after the next refresh only. */
function whole(protocol: ThresholdProtocol, keys: Keys): Keys {
  return protocol.signing.openedBy === 'all' ? refresh(protocol, keys) : keys
}

function requireNewShares(t: ExecutionContext, before: Keys, after: Keys): void {
  for (const [party, key] of after) {
    t.deepEqual(key.publicKey, before.get(party)!.publicKey)
    t.deepEqual(key.publicPackage, after.get(1)!.publicPackage)
    t.deepEqual(key.publicPackage.subarray(0, 35), before.get(1)!.publicPackage.subarray(0, 35), 'threshold, parties and chain code stay')
    t.notDeepEqual(key.publicPackage, before.get(1)!.publicPackage)
    t.notDeepEqual(key.share, before.get(party)!.share)
  }
}

function signs(
  t: ExecutionContext,
  scheme: Scheme,
  { publicKey, keys, quorum }: { publicKey: Uint8Array; keys: Keys; quorum: PartyIndex[] },
): void {
  const protocol = protocolOf(scheme)
  const message = protocol.message(MESSAGE)
  t.true(VERIFIERS[scheme](publicKey, message, sign(protocol, keys, quorum, message).signature), `signed by ${quorum}`)
}

const without = (keys: Keys, party: PartyIndex): Keys => new Map([...keys].filter(([other]) => other !== party))

/** Takes a turn of the event loop: results of tests that compute for long are seen as they come in. */
const resultsReported = () => setImmediate()

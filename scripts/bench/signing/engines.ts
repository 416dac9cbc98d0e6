import type { ByParty } from '../../../domain/threshold/protocol.ts'
import { protocolOf } from '../../../domain/threshold/registry.ts'
import { SCHEMES, type Scheme } from '../../../domain/threshold/scheme.ts'
import { contribute, generateKey, open, type Tamper } from '../../../domain/threshold/testing/star.ts'
import { type Figure, latencyOf } from '../figures.ts'

/** What each engine costs without a network: processor time of one participant, and the bytes that it sends, before they are sealed. */
export function measureEngines(quorums: readonly { threshold: number; parties: number }[], samples: number): Figure[] {
  return SCHEMES.flatMap((scheme) => quorums.flatMap((quorum) => measureEngine(scheme, quorum, samples)))
}

function measureEngine(scheme: Scheme, quorum: { threshold: number; parties: number }, samples: number): Figure[] {
  const protocol = protocolOf(scheme)
  const signers = Array.from({ length: quorum.threshold }, (_, i) => i + 1)
  const message = protocol.message(new Uint8Array(32))
  const under = `${quorum.threshold}-of-${quorum.parties}`
  const ms = (what: string, participants: number, work: () => unknown): Figure => {
    const took = latencyOf(Array.from({ length: samples }, () => timed(work) / participants))
    return { name: `engine, ${what}, one of ${under}`, of: scheme, value: took.p50, unit: 'ms', p99ms: took.p99 }
  }
  /** `work` runs the rounds, and gives what is said to the coordinator alone. */
  const bytes = (what: string, participants: number, work: (tamper: Tamper) => ByParty): Figure => {
    let sent = 0
    const last = work((incoming, { to }) => {
      sent += bytesIn(incoming.secrets)
      // What all are told is sent once, however many hear it.
      if (to === 1) sent += bytesIn(incoming.broadcasts)
      return incoming
    })
    sent += bytesIn(last)
    return { name: `engine, ${what}, sent by one of ${under}`, of: scheme, value: Math.round(sent / participants), unit: 'bytes' }
  }

  const keys = generateKey(protocol, quorum)
  return [
    ms('key generation', quorum.parties, () => generateKey(protocol, quorum)),
    bytes('key generation', quorum.parties, (tamper) => {
      generateKey(protocol, quorum, { tamper })
      return new Map()
    }),
    ms('opening', quorum.threshold, () => open(protocol, keys, signers)),
    bytes('opening and contribution', quorum.threshold, (tamper) => contribute(protocol, keys, signers, message, tamper).contributions),
    ms('opening and contribution', quorum.threshold, () => contribute(protocol, keys, signers, message)),
  ]
}

const bytesIn = (messages: ByParty) => [...messages.values()].reduce((sum, { length }) => sum + length, 0)

function timed(work: () => unknown): number {
  const began = performance.now()
  work()
  return performance.now() - began
}

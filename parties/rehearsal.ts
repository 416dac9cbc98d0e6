import type { KeyMaterial, Outgoing, Participant, RandomBytes, ThresholdProtocol } from '../domain/threshold/protocol.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { SCHEMES } from '../domain/threshold/scheme.ts'

const ALONE = 1
const TIMES = 3
const CONTEXT = new TextEncoder().encode('rehearsal')

/**
 * Makes and uses a key of one share in each scheme, and forgets it: what runs for the first time is several times slower, and had better not be somebody's
 * signature. Takes some tenths of a second.
 */
export function rehearse(rng: RandomBytes): void {
  for (const scheme of SCHEMES) {
    const protocol = protocolOf(scheme)
    for (let time = 0; time < TIMES; time++) {
      const key = concludeAlone(protocol.keyGeneration({ self: ALONE, threshold: 1, parties: 1, context: CONTEXT, rng }))
      try {
        signAlone(protocol, key, rng)
      } finally {
        key.share.fill(0)
      }
    }
  }
}

function signAlone(protocol: ThresholdProtocol, key: KeyMaterial, rng: RandomBytes): void {
  const { signing, message } = protocol
  const signers = [ALONE]
  const opened =
    signing.openedBy === 'each' ? signing.open({ key, rng }) : concludeAlone(signing.open({ key, signers, context: CONTEXT, rng }))
  opened.contribute({ key, path: [], signers, message: message(new Uint8Array(32)) }, new Map([[ALONE, opened.broadcast]]))
}

/** The result of a ceremony with nobody else in it. */
function concludeAlone<Result>(participant: Participant<Result>): Result {
  try {
    for (let said: Outgoing = participant.opening; ; ) {
      const step = participant.next({ broadcasts: new Map([[ALONE, said.broadcast]]), secrets: new Map() })
      if (step.kind === 'done') return step.result
      said = step.outgoing
    }
  } finally {
    participant.destroy()
  }
}

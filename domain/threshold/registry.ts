import { dkls23 } from './dkls23/dkls23.ts'
import { ed25519Ciphersuite } from './frost/ed25519.ts'
import { frost } from './frost/frost.ts'
import { secp256k1TrCiphersuite } from './frost/secp256k1-tr.ts'
import type { ThresholdProtocol } from './protocol.ts'
import type { Scheme } from './scheme.ts'

const PROTOCOLS: Readonly<Record<Scheme, ThresholdProtocol>> = {
  'frost-ed25519': frost(ed25519Ciphersuite),
  'frost-secp256k1-tr': frost(secp256k1TrCiphersuite),
  'dkls23-secp256k1': dkls23,
}

/** The engine of a scheme. */
export const protocolOf = (scheme: Scheme): ThresholdProtocol => PROTOCOLS[scheme]

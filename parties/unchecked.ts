import type { KeyPolicy } from '../domain/authorisation/key-policy.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { messageToSign } from '../domain/signing-session/payload.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import type { SigningGuards } from './signing-guards.ts'

const SIGNATURE_BYTES = 64
const POLICY: KeyPolicy = { version: 1, walletId: '', clientKeys: [], rawDigests: true, approvals: null, presignatures: 10 }

/** A party that believes whoever can reach it, and remembers nothing of what it has signed: what is signed is what the request says. */
export const unchecked: SigningGuards = {
  assertUnfenced() {},
  policyOf: async () => POLICY,
  async authorise({ authorisation, scheme, policy }) {
    try {
      const { payload, path = 'm' } = JSON.parse(authorisation.body)
      return { message: messageToSign(payload, { rawDigests: policy.rawDigests }, protocolOf(scheme).message), path, intents: [] }
    } catch {
      throw new Refusal('malformed', 'the authorised request asks for no signature')
    }
  },
  ledger: { answered: () => undefined, claim: async () => ({ sequence: 0n, hash: new Uint8Array(32) }) },
  signOpening: async () => new Uint8Array(SIGNATURE_BYTES),
  verifyOpening: () => true,
}

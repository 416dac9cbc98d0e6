/** What a test party checks with, and how its openings are signed: identities and a ledger in memory, which outlive the party's process. */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import type { PresignatureTier } from '../../domain/authorisation/key-policy.ts'
import type { VerifyParty } from '../../domain/ceremony/opening.ts'
import { ClaimRefused, type SigningClaim, type SigningLedger } from '../../domain/ports/signing-ledger.ts'
import { equalBytes } from '../../domain/threshold/rounds.ts'
import type { SigningGuards } from '../../parties/signing-guards.ts'
import { unchecked } from '../../parties/unchecked.ts'

export type TestIdentities = { signer(partyId: string): SigningGuards['signOpening']; verify: VerifyParty }

/** Ed25519 keys of parties, made as they are asked for. */
export function testIdentities(): TestIdentities {
  const keys = new Map<string, KeyObject>()
  return {
    signer(partyId) {
      const key = keys.get(partyId) ?? generateKeyPairSync('ed25519').privateKey
      keys.set(partyId, key)
      return async (message) => new Uint8Array(sign(null, message, key))
    },
    verify(partyId, message, signature) {
      const key = keys.get(partyId)
      return key !== undefined && verify(null, message, createPublicKey(key), signature)
    },
  }
}

/** Says no to a session that has signed something else. */
function ledgerInMemory(): Pick<SigningLedger, 'answered' | 'claim'> {
  const claims = new Map<string, SigningClaim>()
  const nameOf = (keyId: string, sessionId: string, attempt: number) => [keyId, sessionId, attempt].join('/')
  return {
    answered: (keyId, sessionId, attempt) => claims.get(nameOf(keyId, sessionId, attempt)),
    async claim(claim) {
      for (const { keyId, sessionId, digest } of claims.values())
        if (keyId === claim.keyId && sessionId === claim.sessionId && !equalBytes(digest, claim.digest))
          throw new ClaimRefused('signed_otherwise', 'the session has signed something else')
      claims.set(nameOf(claim.keyId, claim.sessionId, claim.attempt), claim)
      return { sequence: BigInt(claims.size), hash: new Uint8Array(32) }
    },
  }
}

export function testGuards(partyId: string, identities: TestIdentities, presignatures: PresignatureTier): SigningGuards {
  return {
    ...unchecked,
    policyOf: async (stored) => ({ ...(await unchecked.policyOf(stored)), presignatures }),
    ledger: ledgerInMemory(),
    signOpening: identities.signer(partyId),
    verifyOpening: identities.verify,
  }
}

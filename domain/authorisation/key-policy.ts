import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { DomainError } from '../domain-error.ts'
import { MalformedJson, parseStrictJson, readFields } from '../json/strict-json.ts'
import { orderedRules, readTransferRules } from '../policy/read-rules.ts'
import type { TransferRules } from '../policy/rules.ts'
import { equalBytes } from '../threshold/rounds.ts'
import type { ClientKey } from './client-key.ts'

/** Openings of signatures that are kept ready for a key, at each of its parties. */
export const PRESIGNATURE_TIERS = [0, 10, 1000] as const
export type PresignatureTier = (typeof PRESIGNATURE_TIERS)[number]

/**
 * What a key may be used for, and at whose word: sealed with each share when the key is generated, and changed only by an intent that the policy in
 * force allows. `version` counts the changes.
 */
export type KeyPolicy = {
  version: number
  walletId: string
  /** Whoever holds one of these may ask for what the policy allows. */
  clientKeys: readonly ClientKey[]
  /** Whether a bare digest may be signed. */
  rawDigests: boolean
  /** How many of the named must agree, each with a key of his own, to a signature or to a change of the policy; null when nobody need. */
  approvals: { required: number; approvers: readonly ClientKey[] } | null
  presignatures: PresignatureTier
  /** What is allowed of transfers; absent, not null, where nothing is said of them, as it was in policies before there were any. */
  transfers?: TransferRules
}

/** Longest policy, encoded: 20 client keys and 50 approvers, whose names may take six bytes a character, and the rules for transfers. */
export const MAX_POLICY_BYTES = 256 * 1024

/** The one encoding of a policy: JSON in UTF-8 with its fields in this order. What is sealed with a share is bound to these bytes. */
export function encodePolicy({ version, walletId, clientKeys, rawDigests, approvals, presignatures, transfers }: KeyPolicy): Uint8Array {
  const ordered: KeyPolicy = {
    version,
    walletId,
    clientKeys: clientKeys.map(orderedKey),
    rawDigests,
    approvals: approvals && { required: approvals.required, approvers: approvals.approvers.map(orderedKey) },
    presignatures,
    ...(transfers && {
      transfers: orderedRules({ ...transfers, ...(transfers.approvers && { approvers: transfers.approvers.map(orderedKey) }) }),
    }),
  }
  return utf8ToBytes(JSON.stringify(ordered))
}

/** @throws MalformedJson for anything that `encodePolicy` does not give */
export function decodePolicy(bytes: Uint8Array): KeyPolicy {
  if (bytes.length > MAX_POLICY_BYTES) throw new MalformedJson('the policy is too long')
  const policy = readPolicy(parseStrictJson(new TextDecoder().decode(bytes)))
  if (!equalBytes(encodePolicy(policy), bytes)) throw new MalformedJson('the policy is not in its one encoding')
  return policy
}

/** SHA-256 of an encoded policy. */
export const policyDigest = (encoded: Uint8Array): Uint8Array => sha256(encoded)

export function isPresignatureTier(value: unknown): value is PresignatureTier {
  return (PRESIGNATURE_TIERS as readonly unknown[]).includes(value)
}

const orderedKey = ({ kid, kty, crv, x, y }: ClientKey): ClientKey => ({ kid, kty, crv, x, ...(y === undefined ? {} : { y }) })

function readPolicy(value: unknown): KeyPolicy {
  const policy = readFields(value, ['version', 'walletId', 'clientKeys', 'rawDigests', 'approvals', 'presignatures'], ['transfers'])
  const { version, walletId, clientKeys, rawDigests, approvals, presignatures, transfers } = policy
  const isWhole = isCount(version) && typeof walletId === 'string' && typeof rawDigests === 'boolean' && isPresignatureTier(presignatures)
  if (!isWhole) throw new MalformedJson('not a policy')
  return {
    version,
    walletId,
    clientKeys: readKeys(clientKeys),
    rawDigests,
    approvals: readApprovals(approvals),
    presignatures,
    ...(transfers === undefined ? {} : { transfers: readSealedRules(transfers) }),
  }
}

function readSealedRules(value: unknown): TransferRules {
  try {
    return readTransferRules(value, '/transfers', readKey)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    throw new MalformedJson(`${error.pointer} ${error.message}`)
  }
}

function readApprovals(value: unknown): KeyPolicy['approvals'] {
  if (value === null) return null
  const { required, approvers } = readFields(value, ['required', 'approvers'])
  const keys = readKeys(approvers)
  if (!isCount(required) || required > keys.length) throw new MalformedJson('not approvals that can be given')
  return { required, approvers: keys }
}

/** Whether they are points of their curves was looked at when they came in; one that is not verifies nothing. */
function readKeys(value: unknown): ClientKey[] {
  if (!Array.isArray(value)) throw new MalformedJson('a list of keys is expected')
  return value.map(readKey)
}

function readKey(value: unknown): ClientKey {
  const { kid, kty, crv, x, y } = readFields(value, ['kid', 'kty', 'crv', 'x'], ['y'])
  const isWhole = [kid, x].every((text) => typeof text === 'string') && (y === undefined || typeof y === 'string')
  if (!isWhole || !(kty === 'OKP' || kty === 'EC') || !(crv === 'Ed25519' || crv === 'P-256')) throw new MalformedJson('not a key')
  return { kid, kty, crv, x, ...(y === undefined ? {} : { y }) } as ClientKey
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1

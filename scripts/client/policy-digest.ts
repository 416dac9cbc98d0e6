import { createHash } from 'node:crypto'

type Jwk = { kid: string; kty?: string; crv?: string; x?: string; y?: string }

export type WalletTerms = {
  walletId: string
  clientKeys: readonly Jwk[]
  rawDigests?: boolean
  approvals?: { required: number; approvers: readonly Jwk[] }
  presignatures?: number
  transfers?: object
  /** How many policies the wallet has had, this one included. */
  version?: number
}

/** The `policyDigest` (hex) of a key that is to obey these terms and no others. */
export function policyDigest({
  walletId,
  clientKeys,
  rawDigests = false,
  approvals,
  presignatures = 10,
  transfers,
  version = 1,
}: WalletTerms): string {
  const policy = {
    version,
    walletId,
    clientKeys: clientKeys.map(ordered),
    rawDigests,
    approvals: approvals ? { required: approvals.required, approvers: approvals.approvers.map(ordered) } : null,
    presignatures,
    ...(transfers && { transfers: orderedRules(transfers) }),
  }
  return createHash('sha256').update(JSON.stringify(policy)).digest('hex')
}

const ordered = ({ kid, kty, crv, x, y }: Jwk): Jwk => ({ kid, kty, crv, x, ...(y === undefined ? {} : { y }) })

/** Fields of rules for transfers, in an order that is theirs wherever they stand (docs/policy.md). */
const RULE_FIELDS = [
  ...['chains', 'assets', 'destinations', 'fees', 'limits', 'tiers', 'approvers', 'typedData'],
  ...['kid', 'kty', 'crv', 'x', 'y'],
  ...['id', 'chain', 'above', 'atMost', 'allow', 'deny', 'usd', 'asset', 'amount', 'windowSeconds', 'signers', 'approvals', 'delaySeconds'],
  ...['contract', 'primaryType'],
]

function orderedRules(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(orderedRules)
  if (typeof value !== 'object' || value === null) return value
  const fields = value as { [field: string]: unknown }
  return Object.fromEntries(RULE_FIELDS.filter((field) => field in fields).map((field) => [field, orderedRules(fields[field])]))
}

import { createHash } from 'node:crypto'

type Jwk = { kid: string; kty?: string; crv?: string; x?: string; y?: string }

export type WalletTerms = {
  walletId: string
  clientKeys: readonly Jwk[]
  rawDigests?: boolean
  approvals?: { required: number; approvers: readonly Jwk[] }
  presignatures?: number
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
  version = 1,
}: WalletTerms): string {
  const policy = {
    version,
    walletId,
    clientKeys: clientKeys.map(ordered),
    rawDigests,
    approvals: approvals ? { required: approvals.required, approvers: approvals.approvers.map(ordered) } : null,
    presignatures,
  }
  return createHash('sha256').update(JSON.stringify(policy)).digest('hex')
}

const ordered = ({ kid, kty, crv, x, y }: Jwk): Jwk => ({ kid, kty, crv, x, ...(y === undefined ? {} : { y }) })

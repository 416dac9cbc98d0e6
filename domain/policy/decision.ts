/** What a policy says of a transfer, and why. */
export type Decision = {
  outcome: 'allowed' | 'denied'
  /** Every rule that had a say, in the order of the policy. */
  findings: readonly Finding[]
  requires: Requirements
}

export type Finding = {
  /** The `id` of the rule, or the name of the part of the policy where rules have none. */
  rule: string
  outcome: 'passed' | 'denied' | 'required'
  /** For people. */
  because: string
  /** What was compared, by name: decimal strings of base units or of US dollars, seconds, counts. */
  numbers: { readonly [name: string]: string | number | null }
}

/** What has to be there before the transfer is signed. */
export type Requirements = {
  /** Approvers by `kid`. */
  approvals: { required: number; approvers: readonly string[] } | null
  /** As many parties have to sign, or as many as the key's threshold if that is more. */
  signers: number
  /** Seconds that have to pass since it was asked for. */
  delaySeconds: number
}

/** What can hold funds on a chain: the address of a wallet's key there, at a derivation path. */
export type OpenedAccount = {
  accountId: string
  walletId: string
  tenant: string
  keyId: string
  scheme: string
  /** CAIP-2. */
  chain: string
  path: string
  /** Of the key at the path, hex: what `address` is made of. */
  publicKey: string
  address: string
}

export type AccountEvent = { type: 'AccountOpened'; data: OpenedAccount }

/** Stream of an account. */
export const accountStream = (accountId: string) => `account-${accountId}`
export const ACCOUNT_STREAMS = 'account-'

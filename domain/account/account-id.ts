import { uuidv5 } from '../uuid.ts'

/** Namespace of the ids of accounts (RFC 9562, version 5). Never to change: opening an account again must lead to the one that is there. */
const ACCOUNT_NAMESPACE = '5b0f3f0a-8f0e-5d6c-9a3e-2c1d7e4b6a90'

/** What an account is the account of. `chain` is CAIP-2. */
export type AccountOf = { readonly walletId: string; readonly keyId: string; readonly chain: string; readonly path: string }

/** There is one account for each key, chain and path, and its id follows from them: API and parties know it without asking each other. */
export const accountIdOf = ({ walletId, keyId, chain, path }: AccountOf): string =>
  uuidv5([walletId, keyId, chain, path].join('/'), ACCOUNT_NAMESPACE)

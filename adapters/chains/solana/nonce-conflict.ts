/** What a transaction with a durable nonce uses up: that value of it. */
export const nonceConflict = (account: string, value: string): string => `durable-nonce:${account}:${value}`

import { randomUUID } from 'node:crypto'
import type { Payload } from '../../domain/signing-session/payload.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import type { DevelopmentClient } from '../supervisor/development-client.ts'
import { signIntent } from './intent.ts'
import { policyDigest } from './policy-digest.ts'

/** An answer that is not the one a client hopes for: the problem document is in the message. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer'
}

export type KeyView = {
  keyId: string
  status: string
  publicKey: string
  parties: string[]
  epoch: number
  policyDigest?: string
  failure?: { code: string } | null
  refreshFailure?: { code: string } | null
  recovery?: { partyId: string; status: string; failure?: { code: string } | null } | null
}
export type AccountView = { accountId: string; keyId: string; chain: string; path: string; publicKey: string; address: string }
export type SessionView = { sessionId: string; status: string; signature: string; signers: string[]; failure?: { code: string } | null }

export type WantedTransfer = {
  chain: string
  asset: string
  to: string
  amount: string
  accountId?: string
  fee?: string
  maxFee?: string
  memo?: string
  publicMemo?: string
  psbt?: string
}
export type TransferView = {
  transferId: string
  status: string
  hash?: string
  nonce?: string
  feePaid?: string
  sessionIds: string[]
  transactions: { version: number; as: string; fee: string; conflicts: string[]; sessionIds: string[] }[]
  block?: { height: string; hash: string }
  stuck?: { reason: string }
  failure?: { code: string }
}
export type BalanceView = { accountId: string; asset: string; available: string; reserved: string; pending: string }

/** A Quorate client over HTTP, as any client could be written from the contract alone. */
export function connectClient(dev: DevelopmentClient) {
  async function post<T>(path: string, body: object, options: { intent: boolean }): Promise<{ answer: T; position: string }> {
    const bytes = Buffer.from(JSON.stringify(body))
    const response = await fetch(dev.baseUrl + path, {
      method: 'POST',
      body: bytes,
      headers: {
        authorization: `Bearer ${dev.token}`,
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
        ...(options.intent ? { 'quorate-intent': await signIntent(dev, 'POST', path, bytes) } : {}),
      },
    })
    return { answer: await read<T>(response), position: response.headers.get('quorate-position') ?? '' }
  }

  async function get<T>(path: string, options: { waitSeconds?: number } = {}): Promise<T> {
    const headers: Record<string, string> = { authorization: `Bearer ${dev.token}` }
    if (options.waitSeconds !== undefined) headers.prefer = `wait=${options.waitSeconds}`
    return read<T>(await fetch(dev.baseUrl + path, { headers }))
  }

  return {
    get,

    async createWallet(name: string, policy: object = {}): Promise<string> {
      const clientKeys = [{ ...dev.publicJwk, kid: dev.kid }]
      return (await post<{ walletId: string }>('/v1/wallets', { name, clientKeys, policy }, { intent: false })).answer.walletId
    },

    /** Resolves when the key has been generated, or has failed; it obeys the policy that the wallet was created with, if that is given, or there is no key. */
    async generateKey(walletId: string, scheme: Scheme, threshold: number, parties: number, policy?: object): Promise<KeyView> {
      const terms = policy && { walletId, clientKeys: [{ ...dev.publicJwk, kid: dev.kid }], ...policy }
      const body = { scheme, threshold, parties, ...(terms && { policyDigest: policyDigest(terms) }) }
      const { answer } = await post<{ keyId: string }>(`/v1/wallets/${walletId}/keys`, body, { intent: true })
      return get<KeyView>(`/v1/keys/${answer.keyId}`, { waitSeconds: 30 })
    },

    /** Resolves when the key has new shares, or the refresh has failed. */
    async refreshKey(keyId: string): Promise<KeyView> {
      const { position } = await post(`/v1/keys/${keyId}/refresh`, {}, { intent: true })
      return get<KeyView>(`/v1/keys/${keyId}?minPosition=${position}`, { waitSeconds: 30 })
    },

    /** Resolves when the party has its share again, or the recovery has failed. */
    async recoverShare(keyId: string, party: string): Promise<KeyView> {
      const { position } = await post(`/v1/keys/${keyId}/recover`, { party }, { intent: true })
      return get<KeyView>(`/v1/keys/${keyId}?minPosition=${position}`, { waitSeconds: 30 })
    },

    /** Resolves when the command has been accepted. */
    async revokeKey(keyId: string): Promise<KeyView> {
      const { position } = await post(`/v1/keys/${keyId}/revoke`, {}, { intent: true })
      return get<KeyView>(`/v1/keys/${keyId}?minPosition=${position}`)
    },

    async openAccount(
      walletId: string,
      account: { keyId: string; chain: string; path?: string },
    ): Promise<AccountView & { position: string }> {
      const { answer, position } = await post<AccountView>(`/v1/wallets/${walletId}/accounts`, account, { intent: false })
      return { ...answer, position }
    },

    /** Resolves when the command has been accepted. */
    async requestSignature(keyId: string, payload: Payload, path?: string): Promise<{ sessionId: string; position: string }> {
      const body = { payload, ...(path === undefined ? {} : { path }) }
      const { answer, position } = await post<{ sessionId: string }>(`/v1/keys/${keyId}/signatures`, body, { intent: true })
      return { sessionId: answer.sessionId, position }
    },

    /** Resolves when the command has been accepted. */
    async requestTransfer(walletId: string, transfer: WantedTransfer): Promise<string> {
      return (await post<{ transferId: string }>(`/v1/wallets/${walletId}/transfers`, transfer, { intent: true })).answer.transferId
    },

    /** Resolves when another transaction in the place of the latest has been asked for, at a higher fee. */
    async accelerateTransfer(transferId: string, price: { fee: string; maxFee?: string }): Promise<void> {
      await post(`/v1/transfers/${transferId}/accelerate`, price, { intent: true })
    },

    /** Resolves when the command has been accepted. */
    async cancelTransfer(transferId: string): Promise<void> {
      await post(`/v1/transfers/${transferId}/cancel`, {}, { intent: true })
    },

    /** Resolves when the transfer is confirmed or has ended, or only when it has ended; or is as it is after a while. */
    transfer(transferId: string, until: 'confirmed' | 'ended', waitSeconds = 30): Promise<TransferView> {
      return get<TransferView>(`/v1/transfers/${transferId}?until=${until}`, { waitSeconds })
    },

    async balances(walletId: string): Promise<BalanceView[]> {
      return (await get<{ items: BalanceView[] }>(`/v1/wallets/${walletId}/balances?limit=200`)).items
    },

    /** The public key (hex) that signs for this path. */
    async publicKey(keyId: string, path: string): Promise<string> {
      return (await get<{ publicKey: string }>(`/v1/keys/${keyId}/public-key?path=${encodeURIComponent(path)}`)).publicKey
    },

    /** Resolves when the session has ended. */
    session(sessionId: string): Promise<SessionView> {
      return get<SessionView>(`/v1/signing-sessions/${sessionId}`, { waitSeconds: 30 })
    },
  }
}

export type Client = ReturnType<typeof connectClient>

async function read<T>(response: Response): Promise<T> {
  const text = await response.text()
  if (!response.ok) throw new UnexpectedAnswer(`${response.status} from ${new URL(response.url).pathname}: ${text}`)
  return JSON.parse(text) as T
}

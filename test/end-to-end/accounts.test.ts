import { randomUUID } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { Address } from '@scure/btc-signer/payment.js'
import { hash160, TEST_NETWORK } from '@scure/btc-signer/utils.js'
import { getAddressDecoder } from '@solana/kit'
import test from 'ava'
import { toHex } from 'viem'
import { publicKeyToAddress } from 'viem/utils'
import { protocolOf } from '../../domain/threshold/registry.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { VERIFIERS } from '../../domain/threshold/testing/verifiers.ts'
import { openApiViolations } from '../../http/testing/openapi-rules.ts'
import type { AccountView, SessionView } from '../../scripts/client/client.ts'
import { signIntent } from '../../scripts/client/intent.ts'
import { system } from './shared-system.ts'

type List<Item> = { items: Item[]; nextCursor: string | null }

/** The session of a message that was signed with the key at the path. */
async function sign(keyId: string, path: string, message: Buffer): Promise<SessionView> {
  const { dev, client } = system
  const to = `/v1/keys/${keyId}/signatures`
  const body = Buffer.from(JSON.stringify({ payload: { kind: 'message', encoding: 'hex', data: message.toString('hex') }, path }))
  const response = await fetch(dev.baseUrl + to, {
    method: 'POST',
    body,
    headers: {
      authorization: `Bearer ${dev.token}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
      'quorate-intent': await signIntent(dev, 'POST', to, body),
    },
  })
  const { sessionId } = (await response.json()) as SessionView
  return client.session(sessionId)
}

/** The addresses that libraries of the chains make of a public key. */
const ADDRESSES: readonly (readonly [Scheme, string, (publicKey: Uint8Array) => string])[] = [
  ['frost-ed25519', 'solana:localnet', (key) => getAddressDecoder().decode(key)],
  ['frost-secp256k1-tr', 'bip122:00000008819873e925422c1ff0f99f7c', (pubkey) => Address(TEST_NETWORK).encode({ type: 'tr', pubkey })],
  [
    'dkls23-secp256k1',
    'bip122:00000008819873e925422c1ff0f99f7c',
    (key) => Address(TEST_NETWORK).encode({ type: 'wpkh', hash: hash160(key) }),
  ],
  ['dkls23-secp256k1', 'eip155:31337', (key) => publicKeyToAddress(toHex(secp256k1.Point.fromBytes(key).toBytes(false)))],
]

for (const [scheme, chain, addressOf] of ADDRESSES) {
  test.serial(
    `an account on ${chain} has the address of the ${scheme} key that signs for it, and is found wherever accounts are`,
    async (t) => {
      const { client } = system
      const walletId = await client.createWallet('accounts')
      const { keyId } = await client.generateKey(walletId, scheme, 2, 3, {})
      const { position, ...account } = await client.openAccount(walletId, { keyId, chain, path: 'm/0/5' })
      const publicKey = Buffer.from(account.publicKey, 'hex')
      t.is(account.address, addressOf(publicKey))

      t.like(await client.get<AccountView>(`/v1/accounts/${account.accountId}?minPosition=${position}`), account)
      const listed = await client.get<List<AccountView>>(`/v1/wallets/${walletId}/accounts?minPosition=${position}`)
      t.is(listed.items.length, 1)
      t.like(listed.items[0], account)
      const history = await client.get<List<{ type: string; data: object }>>(`/v1/wallets/${walletId}/history?minPosition=${position}`)
      const { accountId, address } = account
      // That a key belongs to its wallet may be recorded later than that it can be used.
      const opened = history.items.find(({ type }) => type === 'AccountOpened')
      t.like(opened, { data: { accountId, keyId, chain, path: 'm/0/5', address } })
      const replayed = JSON.parse(await system.run('replay', '--wallet', walletId)) as { accounts: AccountView[] }
      t.like(replayed.accounts, [account])

      const message = Buffer.from('what the account is for')
      const { signature } = await sign(keyId, 'm/0/5', message)
      t.true(VERIFIERS[scheme](publicKey, protocolOf(scheme).message(message), Buffer.from(signature, 'hex')))
    },
  )
}

test.serial('accounts are described in the OpenAPI document, which is valid', async (t) => {
  const document = await system.client.get<{ paths: Record<string, object> }>('/openapi.json')
  t.deepEqual(openApiViolations(document as never), [])
  for (const path of ['/v1/wallets/{walletId}/accounts', '/v1/accounts/{accountId}', '/v1/chains']) t.true(path in document.paths)
})

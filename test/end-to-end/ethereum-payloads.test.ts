import { randomUUID } from 'node:crypto'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { recoverPublicKey } from '../../domain/threshold/testing/verifiers.ts'
import { signIntent } from '../../scripts/client/intent.ts'
import { system } from './shared-system.ts'

type Answer = { status: number; code?: string; errors?: { pointer: string }[]; sessionId: string }

type Session = { status: string; payload: object; signature: string; recoveryId: number }

async function ask(keyId: string, payload: object): Promise<Answer> {
  const path = `/v1/keys/${keyId}/signatures`
  const body = Buffer.from(JSON.stringify({ payload }))
  const answer = await fetch(system.dev.baseUrl + path, {
    method: 'POST',
    body,
    headers: {
      authorization: `Bearer ${system.dev.token}`,
      'content-type': 'application/json',
      'quorate-intent': await signIntent(system.dev, 'POST', path, body),
    },
  })
  return { ...((await answer.json()) as Answer), status: answer.status }
}

const personal = { kind: 'eip191', encoding: 'utf8', data: 'hello world' }
const mail = {
  types: {
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallet', type: 'address' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person' },
      { name: 'contents', type: 'string' },
    ],
  },
  primaryType: 'Mail',
  domain: { name: 'Ether Mail', version: '1', chainId: 1, verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC' },
  message: {
    from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
    contents: 'Hello, Bob!',
  },
}

/** Digests of the example of EIP-712 and of ethers' hashMessage. */
const MAIL_DIGEST = 'be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2'
const PERSONAL_DIGEST = 'd9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68'

test.serial('an ECDSA key signs what Ethereum has people sign, under a policy without bare digests', async (t) => {
  const key = await system.client.generateKey(await system.client.createWallet('ethereum', { rawDigests: false }), 'dkls23-secp256k1', 2, 3)
  t.is(key.status, 'active')
  for (const [payload, digest] of [
    [personal, PERSONAL_DIGEST],
    [{ kind: 'eip712', typedData: mail }, MAIL_DIGEST],
  ] as const) {
    const { sessionId } = await ask(key.keyId, payload)
    const session = await system.client.get<Session>(`/v1/signing-sessions/${sessionId}`, { waitSeconds: 30 })
    t.like(session, { status: 'signed' })
    t.deepEqual(session.payload, payload)
    t.is(bytesToHex(recoverPublicKey(hexToBytes(digest), hexToBytes(session.signature), session.recoveryId)!), key.publicKey)
  }

  const unsigned = { ...mail, message: { ...mail.message, to: { ...mail.message.to, 'e/mail': 'bob@example.org' } } }
  t.like(await ask(key.keyId, { kind: 'eip712', typedData: unsigned }), {
    status: 422,
    code: 'typed_data_invalid',
    errors: [{ pointer: '/payload/typedData/message/to/e~1mail' }],
  })
})

test.serial('names in typed data are not those of stored documents', async (t) => {
  const key = await system.client.generateKey(await system.client.createWallet('names'), 'dkls23-secp256k1', 2, 3)
  const typedData = {
    types: {
      Value: [
        { name: '_bsontype', type: 'string' },
        { name: 'hasOwnProperty', type: 'bool' },
      ],
    },
    primaryType: 'Value',
    domain: { name: 'names' },
    message: { _bsontype: 'Long', hasOwnProperty: true },
  }
  const { sessionId } = await ask(key.keyId, { kind: 'eip712', typedData })
  const session = await system.client.get<Session>(`/v1/signing-sessions/${sessionId}`, { waitSeconds: 30 })
  t.like(session, { status: 'signed', payload: { kind: 'eip712', typedData } })
})

test.serial('what Ethereum has people sign is signed by no key of another scheme', async (t) => {
  const key = await system.client.generateKey(await system.client.createWallet('other'), 'frost-secp256k1-tr', 2, 3)
  for (const payload of [personal, { kind: 'eip712', typedData: mail }])
    t.like(await ask(key.keyId, payload), { status: 422, code: 'payload_not_supported', errors: [{ pointer: '/payload/kind' }] })
  const transaction = { kind: 'transaction', chain: 'eip155:1', transferId: randomUUID(), unsigned: 'AA==', index: 0 }
  t.like(await ask(key.keyId, transaction), { status: 422, code: 'validation_failed' }, 'transactions are asked for by transfers')
  t.like(await ask(key.keyId, { kind: 'eip712', typedData: [] }), { status: 422, errors: [{ pointer: '/payload/typedData' }] })
})

import test from 'ava'
import { fold } from '../decider.ts'
import type { SigningSessionEvent } from './events.ts'
import { signingSessionSchemas } from './schemas.ts'
import { signingSession } from './signing-session.ts'
import { payloadToStore, storedPayload } from './stored-payload.ts'

const authorisation = { method: 'POST', path: '/v1/wallets/df9f5235/transfers', body: '{}', intent: 'a.b.c' }

/** As it was stored: a session that signs one input of a transfer's transaction. */
const stored = JSON.parse(`{
  "sessionId": "da426d5d-6c01-4d24-89ea-ab3a0714106f",
  "keyId": "8b531197-3aa7-4f19-9ab6-a2579cb23f2f",
  "walletId": "df9f5235-8081-4365-bb45-e12ff6058358",
  "tenant": "test",
  "scheme": "frost-secp256k1-tr",
  "payload": {
    "kind": "transaction",
    "chain": "bip122:000000000019d6689c085ae165831e93",
    "transferId": "0b7c2f5e-6a31-5d8e-9f04-7d1c3a5b8e62",
    "unsigned": "cHNidP8=",
    "index": 1
  },
  "transfer": { "signers": 3, "approvals": [${JSON.stringify(authorisation)}], "replacement": null },
  "path": "m/0/5",
  "publicKey": "02ab",
  "message": "00ff",
  "deadline": "2026-11-21T14:02:51.890Z",
  "approvals": null,
  "authorisation": ${JSON.stringify(authorisation)}
}`)

const { shape } = signingSessionSchemas.SigningRequested

test('a session that signs a transaction is read as it was stored', (t) => {
  t.true(shape(stored))
  const event = { type: 'SigningRequested', data: stored } as SigningSessionEvent
  t.like(fold(signingSession, [event]), { status: 'requested', payload: stored.payload, transfer: stored.transfer, path: 'm/0/5' })
  t.deepEqual(storedPayload(payloadToStore(stored.payload)), stored.payload)
})

test('without one of the fields of its transaction or its transfer it cannot be', (t) => {
  for (const part of ['payload', 'transfer'])
    for (const field of Object.keys(stored[part])) {
      const { [field]: _, ...rest } = stored[part]
      t.false(shape({ ...stored, [part]: rest }), `${part}.${field}`)
    }
})

import { randomBytes } from 'node:crypto'
import test from 'ava'
import { decodeStoredShare, encodeStoredShare } from './share-record.ts'

const STORED = {
  record: {
    ...{ partyId: 'party-1', keyId: 'key-1', attempt: 1, epoch: 1, scheme: 'dkls23-secp256k1' as const, threshold: 2 },
    ...{ parties: ['party-1', 'party-2'], publicKey: randomBytes(33), publicPackage: randomBytes(99), policy: randomBytes(50) },
  },
  sealed: randomBytes(12_500),
}

test('a stored share is read as it was written, and as nothing else', (t) => {
  const text = Buffer.from(encodeStoredShare(STORED)).toString()
  const { record, sealed } = decodeStoredShare(Buffer.from(text))!
  t.deepEqual(Buffer.from(encodeStoredShare({ record, sealed })).toString(), text)
  const file = JSON.parse(text) as { sealed: string }
  const but2 = file.sealed.slice(0, -2)
  // The platform cuts characters to eight bits: those of the last one are a digit.
  for (const sealed of [null, 0, [file.sealed], `${but2}0`, `${but2}0g`, `${but2} 0`, `${but2}0A`, `${but2}0\u0161`])
    t.is(decodeStoredShare(Buffer.from(JSON.stringify({ ...file, sealed }))), undefined)
})

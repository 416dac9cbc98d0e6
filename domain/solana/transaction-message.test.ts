import { randomBytes } from 'node:crypto'
import {
  address,
  appendTransactionMessageInstructions,
  type Blockhash,
  compileTransaction,
  compressTransactionMessageUsingAddressLookupTables,
  createTransactionMessage,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
} from '@solana/kit'
import test from 'ava'
import fc from 'fast-check'
import { isTransactionMessage } from './transaction-message.ts'

const [payer, recipient, table] = [
  address('So11111111111111111111111111111111111111112'),
  address('4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM'),
  address('TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA'),
]
const lifetime = { blockhash: recipient as string as Blockhash, lastValidBlockHeight: 5n }
const system = address('11111111111111111111111111111111')
const instruction = (size: number) => ({
  programAddress: system,
  accounts: [
    { address: payer, role: 3 as const },
    { address: recipient, role: 1 as const },
  ],
  data: new Uint8Array(size).fill(9),
})

/** As `@solana/kit` writes it: what others take for a transaction. */
const written = (version: 'legacy' | 0 | 1, ...sizes: readonly number[]) =>
  pipe(
    createTransactionMessage({ version } as { version: 0 }),
    (message) => setTransactionMessageFeePayer(payer, message),
    (message) => setTransactionMessageLifetimeUsingBlockhash(lifetime, message),
    (message) => appendTransactionMessageInstructions(sizes.map(instruction), message),
  )
const bytesOf = (message: Parameters<typeof compileTransaction>[0]) => new Uint8Array(compileTransaction(message).messageBytes)

const transactions = (['legacy', 0, 1] as const).flatMap((version) =>
  [[], [0], [12], [12, 300], [1, 2, 3]].map((sizes) => ({ name: `${version} with ${sizes}`, bytes: bytesOf(written(version, ...sizes)) })),
)
const lookingUp = bytesOf(compressTransactionMessageUsingAddressLookupTables(written(0, 12), { [table]: [recipient] }))

test('what other software writes as a transaction is taken for one', (t) => {
  for (const { name, bytes } of transactions) t.true(isTransactionMessage(bytes), name)
  t.true(isTransactionMessage(lookingUp))
})

test('what validators refuse is none: cut off, gone on, or with more signers than keys', (t) => {
  for (const { name, bytes } of [...transactions, { name: 'with a table', bytes: lookingUp }]) {
    t.false(isTransactionMessage(bytes.subarray(0, -1)), name)
    t.false(isTransactionMessage(Uint8Array.of(...bytes, 0)), name)
    const manySigners = bytes.slice()
    manySigners[bytes[0]! < 0x80 ? 0 : 1] = 100
    t.false(isTransactionMessage(manySigners), name)
  }
  t.false(isTransactionMessage(Uint8Array.of(0x82, ...transactions[0]!.bytes)))
})

test('lengths that take more bytes than they need do not hide one', (t) => {
  const { bytes } = transactions[0]!
  const padded = Uint8Array.of(...bytes.subarray(0, 3), bytes[3]! | 0x80, 0, ...bytes.subarray(4))
  t.true(isTransactionMessage(padded))
})

test('text is no transaction, and neither are bytes that nobody has chosen', (t) => {
  for (const text of ['', 'pay nobody', '\u0001 is the first character', 'x'.repeat(4_096)])
    t.false(isTransactionMessage(Buffer.from(text)))
  fc.assert(fc.property(fc.string({ maxLength: 2_000 }), (text) => !isTransactionMessage(Buffer.from(text))))
  for (let n = 0; n < 10_000; n++) t.false(isTransactionMessage(new Uint8Array(randomBytes(n % 200))))
})

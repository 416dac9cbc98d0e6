import { bytesToHex } from '@noble/hashes/utils.js'
import test from 'ava'
import { lookUp } from './core-rpc.ts'
import { txidOf } from './psbt.ts'
import { transactionPaying } from './testing/spender.ts'

const script = new Uint8Array(22)
const [raw, other] = [transactionPaying([{ script, amount: 1_000n }], 1), transactionPaying([{ script, amount: 9_000n }], 1)]
const toldOf = (hex: string) => lookUp(async () => ({ hex, blockhash: '00'.repeat(32), confirmations: 3 }), txidOf(raw))

test('a transaction is the one that was asked for, whoever hands it out', async (t) => {
  t.like(await toldOf(bytesToHex(raw)), { raw: new Uint8Array(raw), confirmations: 3 })
  for (const hex of [bytesToHex(other), bytesToHex(raw.subarray(1)), `${bytesToHex(raw)}00`, ''])
    await t.throwsAsync(toldOf(hex), { message: 'malformed_answer' }, hex)
})

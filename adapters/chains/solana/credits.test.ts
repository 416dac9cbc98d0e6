import test from 'ava'
import type { MinedTransaction } from './cluster.ts'
import { creditsIn } from './credits.ts'

const chain = { id: 'solana:localnet', nativeAsset: 'solana:localnet/slip44:501' }
const mined: MinedTransaction = {
  ...{ slot: 7n, accounts: ['payer', 'own', 'whale'], hasFailed: false, fee: 5_000n },
  ...{ before: [9_000n, 1n, null], after: [1_000n, 3_001n, null], tokensBefore: [], tokensAfter: [] },
}

test('what a stranger holds need not be known; what an own address holds must be', (t) => {
  t.like(creditsIn(chain, 'hash', mined, new Set(['own'])), [{ to: 'own', amount: 3_000n, from: 'payer' }])
  t.throws(() => creditsIn(chain, 'hash', mined, new Set(['whale'])), { message: 'malformed_answer' })
})

import test from 'ava'
import { startTestSystem } from '../ceremony/system.ts'
import { BITCOIN, BITCOINS, bitcoinTransaction, chains, senderOf } from '../transactions.ts'
import { PARTY } from './coordinator.ts'
import { askForTransaction, replacementOf, transferRequest } from './transfers.ts'

const TO = 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu'

test('transfers whose cancellation was signed first count in a window as others do', async (t) => {
  const system = await startTestSystem({ parties: 1, chains })
  t.teardown(system.close)
  const limits = [{ id: 'hourly', atMost: { asset: BITCOINS, amount: '100000' }, windowSeconds: 3_600 }]
  const walletId = await system.createWallet({ rawDigests: false, transfers: { limits } })
  const key = await system.generateKey(walletId, { scheme: 'frost-secp256k1-tr', threshold: 1, parties: [PARTY] })

  const accelerated = async (coin: number) => {
    const transfer = transferRequest(system, walletId, { chain: BITCOIN, asset: BITCOINS, to: TO, amount: '60000' })
    const ask = (payments: { to: string; amount: bigint }[], fee: bigint, what: 'cancel' | 'accelerate', body = {}) =>
      askForTransaction(system, key, transfer, {
        chain: BITCOIN,
        unsigned: bitcoinTransaction(senderOf(key, BITCOIN), payments, { coins: [coin], fee }),
        replacement: replacementOf(system, transfer, what, body),
      })
    t.like(await ask([], 2_000n, 'cancel'), { type: 'contributed' }, 'it moves nothing')
    return ask([{ to: TO, amount: 60_000n }], 4_000n, 'accelerate', { fee: 'high' })
  }
  t.like(await accelerated(1), { type: 'contributed' })
  t.like(await accelerated(2), { type: 'refused', code: 'policy_forbids' })
})

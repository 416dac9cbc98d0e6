import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import type { CeremonyReply } from '../../domain/ceremony/messages.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { BITCOIN, BITCOINS, bitcoinTransaction, chains, senderOf } from '../transactions.ts'
import { PARTY } from './coordinator.ts'
import { type AskedTransfer, askForTransaction, replacementOf, type TransactionAsked, transferRequest } from './transfers.ts'

const TO = 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu'
const paid = { to: TO, amount: 50_000n }
const body = { chain: BITCOIN, asset: BITCOINS, to: TO, amount: '50000' }

let system: TestSystem
let key: ExistingKeyShare
let walletId: string
let coins = 0

test.before(async () => {
  system = await startTestSystem({ parties: 1, chains })
  walletId = await system.createWallet()
  key = await system.generateKey(walletId, { scheme: 'frost-secp256k1-tr', threshold: 1, parties: [PARTY] })
})

test.after.always(() => system?.close())

/** A coin that no other test spends. */
const newCoin = () => ++coins
const request = (changes: object = {}) => transferRequest(system, walletId, { ...body, ...changes })
const build = (options: Parameters<typeof bitcoinTransaction>[2], payments = [paid]) =>
  bitcoinTransaction(senderOf(key, BITCOIN), payments, options)
const ask = (transfer: AskedTransfer, unsigned: Uint8Array, changes: Partial<TransactionAsked> = {}) =>
  askForTransaction(system, key, transfer, { chain: BITCOIN, unsigned, ...changes })
const signed = (t: ExecutionContext, reply: CeremonyReply, why?: string) => t.like(reply, { type: 'contributed' }, why)
const refused = (t: ExecutionContext, reply: CeremonyReply, code: string, why?: string) => t.like(reply, { type: 'refused', code }, why)

test.serial('for one transfer there is one transaction, in however many sessions, also after a restart', async (t) => {
  const transfer = request()
  const [first, second] = [newCoin(), newCoin()]
  signed(t, await ask(transfer, build({ coins: [first] })))
  signed(t, await ask(transfer, build({ coins: [first] })), 'the same again')
  for (const other of [build({ coins: [second] }), build({ coins: [first], fee: 2_000n }), build({ coins: [first, second] })])
    refused(t, await ask(transfer, other), 'signed_already')
  const party = system.party(PARTY)
  await party.kill()
  await party.revive()
  refused(t, await ask(transfer, build({ coins: [second] })), 'signed_already')
  signed(t, await ask(transfer, build({ coins: [first] })))
})

test.serial('an input that one transfer has used is for no other, and neither is its transaction', async (t) => {
  const coin = newCoin()
  signed(t, await ask(request(), build({ coins: [coin] })))
  refused(t, await ask(request(), build({ coins: [coin] })), 'signed_already')
  refused(t, await ask(request(), build({ coins: [newCoin(), coin] })), 'signed_already')
})

test.serial('each input is signed for by itself, all in the one transaction', async (t) => {
  const transfer = request()
  const unsigned = build({ coins: [newCoin(), newCoin()] })
  signed(t, await ask(transfer, unsigned, { index: 0 }))
  signed(t, await ask(transfer, unsigned, { index: 1 }))
  refused(t, await ask(transfer, unsigned, { index: 2 }), 'malformed')
})

test.serial('the intent of a transfer is for no other key, nor that of a session for a transfer', async (t) => {
  const transfer = request()
  signed(t, await ask(transfer, build({ coins: [newCoin()] })))
  const other = await system.generateKey(walletId, { scheme: 'frost-secp256k1-tr', threshold: 1, parties: [PARTY] })
  const unsigned = bitcoinTransaction(senderOf(other, BITCOIN), [paid], { coins: [newCoin()] })
  refused(t, await askForTransaction(system, other, transfer, { chain: BITCOIN, unsigned }), 'signed_already')
  refused(t, await askForTransaction(system, other, request(), { chain: BITCOIN, unsigned, path: 'm/7' }), 'transaction_refused')
})

test.serial('a replacement takes the word of the client, and something in common with all that it replaces', async (t) => {
  const transfer = request()
  const [a, b, c] = [newCoin(), newCoin(), newCoin()]
  signed(t, await ask(transfer, build({ coins: [a, b] })))
  const faster = build({ coins: [a, b], fee: 5_000n })
  refused(t, await ask(transfer, faster), 'signed_already', 'nobody has asked for it')

  const wish = replacementOf(system, transfer, 'accelerate', { fee: 'high' })
  refused(t, await ask(transfer, build({ coins: [c] }), { replacement: wish }), 'signed_already', 'both could be mined')
  signed(t, await ask(transfer, faster, { replacement: wish }))
  signed(t, await ask(transfer, faster, { replacement: wish, sessionId: randomUUID() }), 'the same again')
  refused(t, await ask(transfer, build({ coins: [a, b], fee: 6_000n }), { replacement: wish }), 'intent_reused')

  const again = replacementOf(system, transfer, 'accelerate', { fee: 'high' })
  const further = build({ coins: [a, b, c], fee: 9_000n })
  refused(
    t,
    await ask(transfer, further, { replacement: again }),
    'signed_already',
    'a further coin would be kept for the transfer for ever',
  )
  signed(t, await ask(request(), build({ coins: [c] })), 'which it is not')
  const fewer = build({ coins: [b], fee: 9_000n })
  signed(t, await ask(transfer, fewer, { replacement: again }))
  const last = replacementOf(system, transfer, 'accelerate', { fee: 'high' })
  refused(
    t,
    await ask(transfer, build({ coins: [a], fee: 9_500n }), { replacement: last }),
    'signed_already',
    'both that and this could be mined',
  )
})

test.serial('what another wallet has made is signed as it is, and nothing else that would do the same', async (t) => {
  const [a, b] = [newCoin(), newCoin()]
  const made = build({ coins: [a] })
  const transfer = request({ psbt: Buffer.from(made).toString('base64') })
  for (const other of [build({ coins: [b] }), build({ coins: [a, b] }), build({ coins: [a], fee: 999n })])
    refused(t, await ask(transfer, other), 'transaction_mismatch')
  signed(t, await ask(transfer, made))
  const elsewhere = request({ psbt: Buffer.from(made).toString('base64'), amount: '50001' })
  refused(t, await ask(elsewhere, made), 'transaction_mismatch')
  const faster = build({ coins: [a], fee: 2_000n })
  signed(t, await ask(transfer, faster, { replacement: replacementOf(system, transfer, 'accelerate', { fee: 'high' }) }))
})

test.serial('what takes the place of what another wallet has made spends nothing else, also when others have signed that', async (t) => {
  const [a, b] = [newCoin(), newCoin()]
  const transfer = request({ psbt: Buffer.from(build({ coins: [a] })).toString('base64') })
  for (const kind of ['accelerate', 'cancel'] as const) {
    const wish = replacementOf(system, transfer, kind, kind === 'cancel' ? {} : { fee: 'high' })
    const payments = kind === 'cancel' ? [] : [paid]
    for (const coins of [[b], [a, b]])
      refused(t, await ask(transfer, build({ coins, fee: 2_000n }, payments), { replacement: wish }), 'transaction_mismatch', kind)
  }
  const wish = replacementOf(system, transfer, 'accelerate', { fee: 'high' })
  signed(t, await ask(transfer, build({ coins: [a], fee: 2_000n }), { replacement: wish }))
})

test.serial('an acceleration does what the transfer does, at no more than the client has said', async (t) => {
  const transfer = request({ maxFee: '3000' })
  const coin = newCoin()
  signed(t, await ask(transfer, build({ coins: [coin] })))
  const accelerate = (wish: object) => replacementOf(system, transfer, 'accelerate', { fee: 'high', ...wish })
  const dearer = build({ coins: [coin], fee: 4_000n })
  refused(t, await ask(transfer, dearer, { replacement: accelerate({}) }), 'fee_too_high')
  refused(t, await ask(transfer, dearer, { replacement: accelerate({ maxFee: '3999' }) }), 'fee_too_high')
  const elsewhere = build({ coins: [coin], fee: 4_000n }, [{ ...paid, to: '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa' }])
  refused(t, await ask(transfer, elsewhere, { replacement: accelerate({ maxFee: '4000' }) }), 'transaction_mismatch')
  const back = build({ coins: [coin], fee: 4_000n }, [])
  refused(t, await ask(transfer, back, { replacement: accelerate({ maxFee: '4000' }) }), 'transaction_mismatch')
  signed(t, await ask(transfer, dearer, { replacement: accelerate({ maxFee: '4000' }) }))
})

test.serial('a cancellation moves nothing, and is for the one transfer', async (t) => {
  const transfer = request()
  const coin = newCoin()
  signed(t, await ask(transfer, build({ coins: [coin] })))
  const back = build({ coins: [coin], fee: 4_000n }, [])
  refused(t, await ask(transfer, back), 'transaction_mismatch')
  const others = replacementOf(system, request(), 'cancel')
  refused(t, await ask(transfer, back, { replacement: others }), 'request_mismatch')
  const wish = replacementOf(system, transfer, 'cancel')
  refused(t, await ask(transfer, build({ coins: [coin], fee: 4_000n }), { replacement: wish }), 'transaction_mismatch')
  refused(t, await ask(transfer, back, { replacement: { ...wish, intent: null } }), 'intent_missing')
  signed(t, await ask(transfer, back, { replacement: wish }))
})

test.serial('two transactions for one transfer, asked for at once: one is signed', async (t) => {
  for (let n = 0; n < 5; n++) {
    const transfer = request()
    const replies = await Promise.all([newCoin(), newCoin(), newCoin()].map((coin) => ask(transfer, build({ coins: [coin] }))))
    t.deepEqual(replies.map((reply) => (reply.type === 'refused' ? reply.code : reply.type)).toSorted(), [
      'contributed',
      'signed_already',
      'signed_already',
    ])
  }
})

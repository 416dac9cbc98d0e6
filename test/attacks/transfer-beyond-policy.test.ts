import test, { type ExecutionContext } from 'ava'
import { createSigner } from '../../domain/authorisation/testing/signer.ts'
import type { CeremonyReply } from '../../domain/ceremony/messages.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import type { TransferRules } from '../../domain/policy/rules.ts'
import type { Prices } from '../../domain/ports/prices.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { BITCOIN, BITCOINS, bitcoinTransaction, chains, senderOf } from '../transactions.ts'
import { PARTY } from './coordinator.ts'
import { type AskedTransfer, approvalOf, askForTransaction, replacementOf, type TransactionAsked, transferRequest } from './transfers.ts'

const TO = 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu'
const OTHER = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'
const [alice, bob] = [createSigner('alice'), createSigner('bob', 'P-256')]
/** A satoshi is a tenth of a cent. */
const prices: Prices = { usdCents: (asset, amount) => (asset === BITCOINS ? (amount + 9n) / 10n : undefined) }
const HOUR_MS = 60 * 60 * 1000

let system: TestSystem
let coins = 0

test.before(async () => {
  system = await startTestSystem({ parties: 2, chains, prices })
})
test.after.always(() => system?.close())

type Account = { key: ExistingKeyShare; walletId: string }

async function accountUnder(transfers: TransferRules, parties: readonly string[] = [PARTY]): Promise<Account> {
  const walletId = await system.createWallet({ rawDigests: false, transfers })
  return { walletId, key: await system.generateKey(walletId, { scheme: 'frost-secp256k1-tr', threshold: 1, parties }) }
}

const requested = ({ walletId }: Account, amount: number, { to = TO, at }: { to?: string; at?: number } = {}) =>
  transferRequest(system, walletId, { chain: BITCOIN, asset: BITCOINS, to, amount: String(amount) }, at === undefined ? {} : { at })

function ask(
  { key }: Account,
  transfer: AskedTransfer,
  changes: Partial<TransactionAsked> & { fee?: bigint } = {},
): Promise<CeremonyReply> {
  const { to, amount } = JSON.parse(transfer.authorisation.body)
  const { fee = 1_000n, ...asked } = changes
  const unsigned = bitcoinTransaction(senderOf(key, BITCOIN), [{ to, amount: BigInt(amount) }], { coins: [++coins], fee })
  return askForTransaction(system, key, transfer, { chain: BITCOIN, unsigned, ...asked })
}

const signed = (t: ExecutionContext, reply: CeremonyReply) => t.like(reply, { type: 'contributed' })
const refused = (t: ExecutionContext, reply: CeremonyReply, code: string) => t.like(reply, { type: 'refused', code })

test.serial('lists and limits hold at the party', async (t) => {
  const account = await accountUnder({
    destinations: { allow: [`${BITCOIN}:${TO}`] },
    limits: [{ id: 'at-once', atMost: { usd: '50.00' } }],
    fees: [{ id: 'fees', chain: BITCOIN, atMost: '2000' }],
  })
  signed(t, await ask(account, requested(account, 50_000)))
  refused(t, await ask(account, requested(account, 50_001)), 'policy_forbids')
  refused(t, await ask(account, requested(account, 1_000, { to: OTHER })), 'policy_forbids')
  refused(t, await ask(account, requested(account, 1_000), { fee: 2_001n }), 'fee_too_high')
})

test.serial('a window counts what this party has signed, also before a restart, and each transfer once', async (t) => {
  const account = await accountUnder({
    limits: [{ id: 'hourly', atMost: { asset: BITCOINS, amount: '100000' }, windowSeconds: HOUR_MS / 1000 }],
  })
  const first = requested(account, 60_000)
  const unsigned = bitcoinTransaction(senderOf(account.key, BITCOIN), [{ to: TO, amount: 60_000n }], { coins: [++coins, ++coins] })
  signed(t, await ask(account, first, { unsigned }))
  refused(t, await ask(account, requested(account, 40_001)), 'policy_forbids')
  signed(t, await ask(account, requested(account, 40_000)))
  const party = system.party(PARTY)
  await party.kill()
  await party.revive()
  let reply: CeremonyReply
  // It asks first what others have seen it sign.
  do reply = await ask(account, requested(account, 1_000))
  while (reply.type === 'refused' && reply.code === 'busy')
  refused(t, reply, 'policy_forbids')
  signed(t, await ask(account, first, { unsigned, index: 1 }))
})

test.serial(
  'transfers that keep to a limit each, and exceed it together, are not all signed when they are asked for at once',
  async (t) => {
    const account = await accountUnder({
      limits: [{ id: 'hourly', atMost: { asset: BITCOINS, amount: '100000' }, windowSeconds: HOUR_MS / 1000 }],
    })
    const replies = await Promise.all(Array.from({ length: 5 }, () => ask(account, requested(account, 40_000))))
    t.is(replies.filter(({ type }) => type === 'contributed').length, 2)
    t.is(replies.filter((reply) => reply.type === 'refused' && reply.code === 'policy_forbids').length, 3)
  },
)

test.serial('a tier has its approvals, of this transfer, by those whom the policy names', async (t) => {
  const account = await accountUnder({
    approvers: [alice.key, bob.key],
    tiers: [{ id: 'large', above: { usd: '10.00' }, approvals: 2 }],
  })
  signed(t, await ask(account, requested(account, 10_000)))
  const transfer = requested(account, 20_000)
  const other = requested(account, 20_000)
  const given = (...approvals: TransactionAsked['approvals'] & object) => ask(account, transfer, { approvals })
  refused(t, await given(), 'approvals_missing')
  refused(t, await given(approvalOf(alice, transfer)), 'approvals_missing')
  refused(t, await given(approvalOf(alice, transfer), approvalOf(alice, transfer)), 'approvals_missing')
  refused(t, await given(approvalOf(alice, transfer), approvalOf(bob, other)), 'request_mismatch')
  refused(t, await given(approvalOf(alice, transfer), approvalOf(createSigner('mallory'), transfer)), 'approval_by_stranger')
  const old = { at: Date.now() - 25 * HOUR_MS }
  refused(t, await given(approvalOf(alice, transfer), approvalOf(bob, transfer, old)), 'intent_expired')
  signed(t, await given(approvalOf(alice, transfer), approvalOf(bob, transfer)))
})

test.serial('what nobody knows the value of is above every tier', async (t) => {
  const blind = await startTestSystem({ parties: 1, chains })
  t.teardown(blind.close)
  const transfers = { approvers: [alice.key], tiers: [{ id: 'large', above: { usd: '1000000.00' }, approvals: 1 }] }
  const walletId = await blind.createWallet({ rawDigests: false, transfers })
  const key = await blind.generateKey(walletId, { scheme: 'frost-secp256k1-tr', threshold: 1, parties: [PARTY] })
  const transfer = transferRequest(blind, walletId, { chain: BITCOIN, asset: BITCOINS, to: TO, amount: '1000' })
  const unsigned = bitcoinTransaction(senderOf(key, BITCOIN), [{ to: TO, amount: 1_000n }])
  refused(t, await askForTransaction(blind, key, transfer, { chain: BITCOIN, unsigned }), 'approvals_missing')
})

test.serial('a tier has its number of signers and its delay', async (t) => {
  const both = [PARTY, 'party-2']
  const account = await accountUnder({ tiers: [{ id: 'large', above: { usd: '10.00' }, signers: 2 }] }, both)
  refused(t, await ask(account, requested(account, 20_000)), 'too_few_signers')
  signed(t, await ask(account, requested(account, 10_000)))

  const slow = await accountUnder({ tiers: [{ id: 'large', above: { usd: '10.00' }, delaySeconds: 3_600 }] })
  refused(t, await ask(slow, requested(slow, 20_000)), 'time_locked')
  signed(t, await ask(slow, requested(slow, 20_000, { at: Date.now() - HOUR_MS })))
})

test.serial('a transfer is signed for a day after it could be signed first, and no longer', async (t) => {
  const account = await accountUnder({ tiers: [{ id: 'large', above: { usd: '10.00' }, delaySeconds: 3_600 }] })
  const agoMs = (hours: number) => ({ at: Date.now() - hours * HOUR_MS })
  signed(t, await ask(account, requested(account, 1_000, agoMs(23))))
  refused(t, await ask(account, requested(account, 1_000, agoMs(25))), 'intent_expired')
  signed(t, await ask(account, requested(account, 20_000, agoMs(24.5))))
  refused(t, await ask(account, requested(account, 20_000, agoMs(26))), 'intent_expired')
  refused(t, await ask(account, requested(account, 1_000, agoMs(24 * 9))), 'intent_expired')
})

test.serial(
  'a cancellation takes the word of a client and the threshold alone, of however old a transfer, at no more than that may cost',
  async (t) => {
    const tiers = [{ id: 'all', above: { usd: '0' }, approvals: 2, signers: 2, delaySeconds: 3_600 }]
    const account = await accountUnder({ approvers: [alice.key, bob.key], tiers }, [PARTY, 'party-2'])
    const old = { at: Date.now() - 40 * 24 * HOUR_MS }
    const body = { chain: BITCOIN, asset: BITCOINS, to: TO, amount: '20000' }
    const cancel = (transfer: AskedTransfer, fee: bigint) =>
      ask(account, transfer, {
        unsigned: bitcoinTransaction(senderOf(account.key, BITCOIN), [], { coins: [++coins], fee }),
        replacement: replacementOf(system, transfer, 'cancel'),
      })
    signed(t, await cancel(requested(account, 20_000), 4_000n))
    const bound = transferRequest(system, account.walletId, { ...body, maxFee: '3000' }, old)
    refused(t, await cancel(bound, 3_001n), 'fee_too_high')
    signed(t, await cancel(bound, 3_000n))
    const late = transferRequest(system, account.walletId, body, old)
    refused(t, await ask(account, late, { replacement: replacementOf(system, late, 'accelerate', { fee: 'high' }) }), 'intent_expired')
    const soon = requested(account, 20_000)
    refused(t, await ask(account, soon, { replacement: replacementOf(system, soon, 'accelerate', { fee: 'high' }) }), 'too_few_signers')
  },
)

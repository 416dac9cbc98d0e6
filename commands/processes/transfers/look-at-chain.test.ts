import test from 'ava'
import type { SentTransaction, TransactionStatus } from '../../../domain/ports/chain-node.ts'
import type { TransferCommand } from '../../../domain/wallet/transfers/commands.ts'
import { build, fund, nonceConflict, request, type Scenario, scenario, send } from '../../../domain/wallet/transfers/testing/scenario.ts'
import { lookAtChain } from './look-at-chain.ts'
import type { PayerTurn } from './payer-turn.ts'

const LIFETIME_SECONDS = 60
const STUCK_AFTER_MS = 1_000
const EXPIRED: TransactionStatus = { state: 'impossible', reason: 'expired', by: null }
const MINED: TransactionStatus = {
  state: 'included',
  outcome: 'succeeded',
  block: { height: 7n, hash: 'b7' },
  confirmations: 1,
  isFinal: false,
  fee: 1n,
}
const agoMs = (time: number): string => new Date(Date.now() - time).toISOString()

/** A look of an account's turn, on a chain that says this of its transactions. */
function look(
  side: Scenario,
  { hasNonces, status }: { hasNonces: boolean; status: (hash: string) => TransactionStatus },
  sentAt = new Map<string, number>(),
) {
  const book = {
    wallet: side.state,
    transfers: () => Object.values(side.state().transfers),
    transfer: (transferId: string) => side.state().transfers[transferId],
    async carryOut(_: string, commands: readonly TransferCommand[]) {
      for (const command of commands) side.do(command)
      return true
    },
  }
  const node = { confirmations: 2, status: async ({ hash }: SentTransaction) => status(hash) }
  const codec = { read: () => ({ lifetimeSeconds: hasNonces ? null : LIFETIME_SECONDS }) }
  const turn = { book, node, codec, chain: { hasNonces }, memory: { attempts: new Map(), sentAt } }
  return lookAtChain(turn as unknown as PayerTurn, { stuckAfterMs: STUCK_AFTER_MS })
}

const endOf = (side: Scenario, transferId: string) => side.state().transfers[transferId]?.status ?? side.state().ended[transferId]

test('those with the lowest nonces are looked for first, in whatever order they were asked for', async (t) => {
  const side = scenario()
  fund(side, 10_000n)
  const ids = Array.from({ length: 10 }, (_, index) => `t${index}`)
  for (const id of ids) side.do(request(id))
  for (const id of ids.toReversed()) send(side, id)
  t.is(side.state().transfers.t9?.nonce, '0')
  await look(side, { hasNonces: true, status: (hash) => (hash === '0xt91' ? MINED : { state: 'pending' }) })
  t.is(endOf(side, 't9'), 'confirming')
})

/** One transaction has expired, and another one is made in its place. */
function madeAnew(): Scenario {
  const side = scenario()
  fund(side, 1_000n)
  side.do(request('t'))
  side.do(build('t', 1, { conflicts: ['message:1'], validity: '1' }))
  side.do({ type: 'SignTransfer', transferId: 't', version: 1, raw: 'AA==', hash: '1' })
  side.do({ type: 'BroadcastTransfer', transferId: 't', version: 1 })
  side.do(build('t', 2, { conflicts: ['message:2'], validity: '2' }))
  return side
}

test('what has expired and is signed by nobody any more is dropped once what was to take its place has died of age, too', async (t) => {
  const side = madeAnew()
  const chain = { hasNonces: false, status: () => EXPIRED }
  await look(side, chain)
  t.is(endOf(side, 't'), 'signing')
  side.do({ type: 'MarkTransferStuck', transferId: 't', since: agoMs(LIFETIME_SECONDS * 1_000), reason: 'quorum_unavailable' })
  await look(side, chain)
  t.is(endOf(side, 't'), 'stuck')
  side.do({ type: 'UnmarkTransferStuck', transferId: 't' })
  side.do({ type: 'MarkTransferStuck', transferId: 't', since: agoMs(LIFETIME_SECONDS * 1_000 + 90_000), reason: 'quorum_unavailable' })
  await look(side, { ...chain, status: () => ({ state: 'unknown' }) }).catch(() => {})
  t.is(endOf(side, 't'), 'stuck')
  await look(side, chain)
  t.is(endOf(side, 't'), 'dropped')
  t.deepEqual(side.state().transfers, {})
  t.is(Object.values(side.state().funds.a ?? {})[0]?.reserved, '0')
})

test('what is being signed is not said to be stuck because the one before it is', async (t) => {
  const side = scenario()
  fund(side, 1_000n)
  side.do(request('t'))
  const conflicts = [nonceConflict(send(side, 't'))]
  const sentAt = new Map([['t/1', Date.now() - STUCK_AFTER_MS]])
  const authorisation = { method: 'POST', path: '/', body: '{}', intent: null }
  side.do({ type: 'AccelerateTransfer', transferId: 't', fee: 'high', maxFee: null, by: 'alice', authorisation })
  side.do(build('t', 2, { as: 'acceleration', conflicts }))
  await look(side, { hasNonces: true, status: () => ({ state: 'pending' }) }, sentAt)
  t.is(endOf(side, 't'), 'signing')
})

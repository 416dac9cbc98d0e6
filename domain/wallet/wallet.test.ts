import test from 'ava'
import type { ClientKey } from '../authorisation/client-key.ts'
import { fold } from '../decider.ts'
import { DomainError } from '../domain-error.ts'
import type { WalletEvent } from './events.ts'
import { requireOpenWallet, type WalletCommand, wallet } from './wallet.ts'

const create: WalletCommand = {
  type: 'CreateWallet',
  walletId: 'w1',
  tenant: 'acme',
  name: 'treasury',
  clientKeys: [{ kid: 'k', kty: 'OKP', crv: 'Ed25519', x: 'x' }],
  policy: { rawDigests: false },
}

function after(...commands: readonly WalletCommand[]) {
  const events: WalletEvent[] = []
  for (const command of commands) events.push(...wallet.decide(fold(wallet, events), command))
  return { events, state: fold(wallet, events) }
}

const refused = (code: string) => ({ instanceOf: DomainError, code }) as const

test('a wallet is created open, with what was asked for', (t) => {
  const { state } = after(create)
  t.like(state, { status: 'open', walletId: 'w1', tenant: 'acme', keyIds: [], policy: { rawDigests: false } })
})

test('nothing can be done with a wallet that does not exist', (t) => {
  t.throws(() => after({ type: 'Freeze', reason: '' }), refused('wallet_not_found'))
})

test('a wallet is created once', (t) => {
  t.throws(() => after(create, create), refused('wallet_exists'))
})

test('a key is attached once, however often it is asked for', (t) => {
  const attach: WalletCommand = { type: 'AttachKey', keyId: 'key', scheme: 'frost-ed25519', publicKey: '00' }
  t.is(after(create, attach, attach).events.length, 2)
})

test('the state of a wallet does not grow for ever with its keys', (t) => {
  const attached = Array.from(
    { length: 100_000 },
    (_, index): WalletEvent => ({
      type: 'KeyAttached',
      data: { walletId: 'w1', keyId: `key-${index}`, scheme: 'frost-ed25519', publicKey: '00' },
    }),
  )
  const state = fold(wallet, [...after(create).events, ...attached])
  t.true(JSON.stringify(state).length < 20_000)
  t.deepEqual(wallet.decide(state, { type: 'AttachKey', keyId: 'key-99999', scheme: 'frost-ed25519', publicKey: '00' }), [])
})

test('a frozen wallet is not open until it is unfrozen', (t) => {
  const freeze: WalletCommand = { type: 'Freeze', reason: 'audit' }
  t.throws(() => requireOpenWallet(after(create, freeze).state), refused('wallet_frozen'))
  t.throws(() => after(create, freeze, freeze), refused('wallet_frozen'))
  t.is(requireOpenWallet(after(create, freeze, { type: 'Unfreeze', reason: '' }).state).status, 'open')
})

const authorisation = { method: 'POST', path: '/', body: '', intent: null }
const key = (kid: string, x = kid): ClientKey => ({ kid, kty: 'OKP', crv: 'Ed25519', x })
const change = (required: number, approvers: ClientKey[], intents: readonly string[] = []): WalletCommand => ({
  type: 'ChangePolicy',
  policy: { rawDigests: false, approvals: { required, approvers } },
  authorisation,
  approvals: [],
  intents,
})

test('an approval quorum that cannot be met, or that one person could make up, is refused', (t) => {
  t.throws(() => after(create, change(3, [key('a'), key('b')])), refused('approvals_invalid'))
  t.throws(() => after(create, change(0, [key('a'), key('b')])), refused('approvals_invalid'))
  t.throws(() => after(create, change(2, [key('a', 'one'), key('a', 'two')])), refused('approvals_invalid'))
  t.throws(() => after(create, change(2, [key('a', 'one'), key('b', 'one')])), refused('approvals_invalid'))
  t.notThrows(() => after(create, change(2, [key('a'), key('b')])))
})

test('policies are counted, the one of the beginning being the first', (t) => {
  const { state, events } = after(create, change(1, [key('a')]), change(1, [key('b')]))
  t.like(state, { policyVersion: 3 })
  t.deepEqual(
    events.flatMap((event) => (event.type === 'PolicyChanged' ? [event.data.version] : [])),
    [2, 3],
  )
})

test('an intent or an approval changes the policy once, whatever else comes with it', (t) => {
  const approvers = [key('alice')]
  const first = change(1, approvers, ['client/1', 'alice/1'])
  const reused = refused('intent_reused')
  t.throws(() => after(create, first, first), reused)
  t.throws(() => after(create, first, change(1, approvers, ['client/2', 'alice/1'])), reused)
  t.throws(() => after(create, first, change(1, approvers, ['client/1', 'alice/2'])), reused)
  t.throws(() => after(create, first, change(1, approvers, ['client/2', 'alice/2']), first), reused)
  t.like(after(create, first, change(1, approvers, ['client/2', 'alice/2'])).state, { policyVersion: 3 })
})

test('the state of a wallet does not grow for ever with its changes of policy', (t) => {
  const [changed] = wallet.decide(after(create).state, change(1, [key('a')], ['client/0'])) as [WalletEvent & { type: 'PolicyChanged' }]
  const changes = Array.from({ length: 10_000 }, (_, index) => ({ ...changed, data: { ...changed.data, intents: [`client/${index}`] } }))
  const state = fold(wallet, [...after(create).events, ...changes])
  t.true(JSON.stringify(state).length < 20_000)
  t.throws(() => wallet.decide(state, change(1, [key('a')], ['client/9999'])), refused('intent_reused'))
})

import test from 'ava'
import { evaluate, feeBound, type JudgedPolicy, type JudgedTransfer, type Moved, strictestApprovals } from './evaluate.ts'
import type { TransferRules } from './rules.ts'

const ETHER = 'eip155:1/slip44:60'
const TO = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const NOW = Date.parse('2026-01-01T00:00:00Z')
const transfer = (changes: Partial<JudgedTransfer> = {}): JudgedTransfer => ({
  ...{ chain: 'eip155:1', asset: ETHER, to: TO, amount: 100n, usdCents: 25_000n, fee: 10n, at: NOW },
  ...changes,
})
const ago = (seconds: number, changes: Partial<Moved> = {}): Moved => ({
  asset: ETHER,
  amount: 100n,
  usdCents: 25_000n,
  at: NOW - seconds * 1000,
  ...changes,
})
const approvers = (...kids: string[]) => kids.map((kid) => ({ kid, kty: 'OKP', crv: 'Ed25519', x: kid }) as const)
const judge = (transfers: TransferRules, changes: Partial<JudgedTransfer> = {}, history: readonly Moved[] = []) =>
  evaluate({ transfers }, transfer(changes), history)
const outcomes = (...args: Parameters<typeof judge>) => judge(...args).findings.map(({ rule, outcome }) => `${rule} ${outcome}`)

test('a policy that says nothing of transfers allows them, within the approvals that anything needs', (t) => {
  const nothing = { approvals: null, signers: 0, delaySeconds: 0 }
  t.deepEqual(evaluate({}, transfer({ usdCents: null }), []), { outcome: 'allowed', findings: [], requires: nothing })
  const { outcome, findings, requires } = evaluate({ approvals: { required: 1, approvers: approvers('alice', 'bob') } }, transfer(), [])
  t.is(outcome, 'allowed')
  t.deepEqual(requires, { ...nothing, approvals: { required: 1, approvers: ['alice', 'bob'] } })
  t.like(findings[0], { rule: 'approvals', outcome: 'required', numbers: { required: 1, approvers: 2 } })
})

test('lists allow what they name, and deny what they name in whatever case', (t) => {
  const to = `eip155:1:${TO}`
  t.deepEqual(outcomes({ chains: { allow: ['eip155:1'] } }), ['chains.allow passed'])
  t.deepEqual(outcomes({ chains: { allow: ['eip155:137'] } }), ['chains.allow denied'])
  t.deepEqual(outcomes({ assets: { deny: [ETHER] } }), ['assets.deny denied'])
  t.deepEqual(outcomes({ assets: { deny: ['eip155:1/slip44:61'] } }), ['assets.deny passed'])
  t.deepEqual(outcomes({ destinations: { allow: [to] } }), ['destinations.allow passed'])
  t.deepEqual(outcomes({ destinations: { allow: [to.toLowerCase()] } }), ['destinations.allow denied'])
  t.deepEqual(outcomes({ destinations: { deny: [to.toLowerCase()] } }), ['destinations.deny denied'])
  t.deepEqual(outcomes({ destinations: { allow: [to], deny: [to] } }), ['destinations.deny denied'])
  t.deepEqual(outcomes({ destinations: { allow: [] } }), ['destinations.allow denied'])
  t.deepEqual(outcomes({ destinations: { allow: [`eip155:137:${TO}`] } }), ['destinations.allow denied'])
})

test('a fee is bounded on its own chain', (t) => {
  const rules = (atMost: string) => ({ fees: [{ id: 'gas', chain: 'eip155:1', atMost }] })
  t.deepEqual(outcomes(rules('10')), ['gas passed'])
  t.deepEqual(outcomes(rules('9')), ['gas denied'])
  t.deepEqual(outcomes(rules('9'), { chain: 'eip155:137' }), [])
  t.like(judge(rules('9')).findings[0], { because: 'a fee of 10 is more than 9', numbers: { fee: '10', atMost: '9' } })
})

test('the policy bounds what a client would pay, and where it says nothing the client or the chain does', (t) => {
  const rules = {
    fees: [
      { id: 'a', chain: 'eip155:1', atMost: '50' },
      { id: 'b', chain: 'eip155:1', atMost: '40' },
    ],
  }
  t.is(feeBound(rules, 'eip155:1', null, 10n), 40n)
  t.is(feeBound(rules, 'eip155:1', 100n, 10n), 40n)
  t.is(feeBound(rules, 'eip155:1', 30n, 10n), 30n)
  t.is(feeBound(rules, 'eip155:137', 30n, 10n), 30n)
  t.is(feeBound(undefined, 'eip155:1', null, 10n), 10n)
})

test('a limit is on one transfer, in dollars or in base units of an asset', (t) => {
  t.deepEqual(outcomes({ limits: [{ id: 'l', atMost: { usd: '250' } }] }), ['l passed'])
  t.deepEqual(outcomes({ limits: [{ id: 'l', atMost: { usd: '249.99' } }] }), ['l denied'])
  t.deepEqual(outcomes({ limits: [{ id: 'l', atMost: { asset: ETHER, amount: '100' } }] }), ['l passed'])
  t.deepEqual(outcomes({ limits: [{ id: 'l', atMost: { asset: ETHER, amount: '99' } }] }), ['l denied'])
  t.deepEqual(outcomes({ limits: [{ id: 'l', atMost: { asset: 'eip155:1/slip44:61', amount: '0' } }] }), [])
})

test('a window counts what was moved in it, and says so', (t) => {
  const daily = { limits: [{ id: 'daily', atMost: { usd: '500.00' }, windowSeconds: 86_400 }] }
  t.deepEqual(outcomes(daily, {}, [ago(86_399)]), ['daily passed'])
  t.deepEqual(outcomes(daily, {}, [ago(86_399), ago(1, { usdCents: 1n })]), ['daily denied'])
  t.deepEqual(outcomes(daily, {}, [ago(86_400, { usdCents: 1_000_000n })]), ['daily passed'])
  t.deepEqual(outcomes(daily, {}, [ago(-5, { usdCents: 25_001n })]), ['daily denied'])
  t.deepEqual(judge(daily, {}, [ago(10), ago(20)]).findings[0], {
    rule: 'daily',
    outcome: 'denied',
    because: '750.00 USD in 86400 s is more than 500.00 USD',
    numbers: { wanted: '250.00', movedBefore: '500.00', windowSeconds: 86_400, atMost: '500.00' },
  })
  const ofAsset = { limits: [{ id: 'l', atMost: { asset: ETHER, amount: '150' }, windowSeconds: 60 }] }
  t.deepEqual(outcomes(ofAsset, {}, [ago(5, { asset: 'eip155:1/slip44:61' })]), ['l passed'])
  t.deepEqual(outcomes(ofAsset, {}, [ago(5)]), ['l denied'])
})

test('what nobody knows the worth of is worth too much', (t) => {
  const rules = {
    limits: [{ id: 'l', atMost: { usd: '999999999999999.99' } }],
    tiers: [{ id: 't', above: { usd: '999999999999999.99' }, signers: 5, approvals: 2, delaySeconds: 60 }],
    approvers: approvers('alice', 'bob'),
  }
  const { findings, requires } = judge(rules, { usdCents: null })
  t.deepEqual(
    findings.map(({ outcome, numbers }) => [outcome, numbers.wanted]),
    [
      ['denied', null],
      ['required', null],
    ],
  )
  t.deepEqual(requires, { approvals: { required: 2, approvers: ['alice', 'bob'] }, signers: 5, delaySeconds: 60 })
  const window = { limits: [{ id: 'l', atMost: { usd: '1000000' }, windowSeconds: 60 }] }
  t.deepEqual(outcomes(window, {}, [ago(5, { usdCents: null })]), ['l denied'])
  t.deepEqual(outcomes({ limits: [{ id: 'l', atMost: { asset: ETHER, amount: '100' } }] }, { usdCents: null }), ['l passed'])
})

test('tiers raise signers, approvals and delay; of several the strictest counts, each for itself', (t) => {
  const policy: JudgedPolicy = {
    approvals: { required: 1, approvers: approvers('alice', 'bob', 'carol') },
    transfers: {
      tiers: [
        { id: 'medium', above: { usd: '100' }, approvals: 3, delaySeconds: 60 },
        { id: 'large', above: { usd: '200' }, signers: 5, approvals: 2 },
        { id: 'huge', above: { usd: '250.00' }, signers: 7, delaySeconds: 600 },
        { id: 'of ether', above: { asset: ETHER, amount: '99' }, signers: 4 },
      ],
    },
  }
  const { outcome, findings, requires } = evaluate(policy, transfer(), [])
  t.is(outcome, 'allowed')
  t.deepEqual(requires, { approvals: { required: 3, approvers: ['alice', 'bob', 'carol'] }, signers: 5, delaySeconds: 60 })
  t.deepEqual(
    findings.map(({ rule, outcome }) => `${rule} ${outcome}`),
    ['approvals required', 'medium required', 'large required', 'huge passed', 'of ether required'],
  )
  t.is(findings[2]?.because, '250.00 USD is above 200.00 USD')
  t.is(findings[3]?.because, '250.00 USD is not above 250.00 USD')
})

test('three of five below a value, five signers and two approvers above', (t) => {
  const transfers = {
    tiers: [{ id: 'large', above: { usd: '100000' }, signers: 5, approvals: 2 }],
    approvers: approvers('alice', 'bob', 'carol'),
  }
  const below = judge(transfers, { usdCents: 10_000_000n })
  t.deepEqual(below.requires, { approvals: null, signers: 0, delaySeconds: 0 })
  const above = judge(transfers, { usdCents: 10_000_001n })
  t.deepEqual(above.requires, { approvals: { required: 2, approvers: ['alice', 'bob', 'carol'] }, signers: 5, delaySeconds: 0 })
})

test('a change of policy takes as many approvals as its strictest tier', (t) => {
  const tiers = [
    { id: 'a', above: { usd: '1' }, approvals: 2 },
    { id: 'b', above: { usd: '2' }, signers: 3 },
  ]
  const named = approvers('alice', 'bob')
  t.deepEqual(strictestApprovals({ transfers: { tiers, approvers: named } }), { required: 2, approvers: named })
  t.deepEqual(strictestApprovals({ approvals: { required: 1, approvers: named }, transfers: { tiers } }), { required: 2, approvers: named })
  t.deepEqual(strictestApprovals({ approvals: { required: 1, approvers: named } }), { required: 1, approvers: named })
  t.is(strictestApprovals({ transfers: { tiers: [tiers[1]!] } }), null)
})

test('one denial is enough, and the others are told all the same', (t) => {
  const { outcome, findings } = judge({ chains: { deny: ['eip155:1'] }, limits: [{ id: 'l', atMost: { usd: '1000' } }] })
  t.is(outcome, 'denied')
  t.is(findings.length, 2)
})

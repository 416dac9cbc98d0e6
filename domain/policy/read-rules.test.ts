import test from 'ava'
import { policyDigest as policyDigestOfClient } from '../../scripts/client/policy-digest.ts'
import { readClientKey } from '../authorisation/client-key.ts'
import { decodePolicy, encodePolicy, type KeyPolicy, policyDigest } from '../authorisation/key-policy.ts'
import { createSigner } from '../authorisation/testing/signer.ts'
import { DomainError } from '../domain-error.ts'
import { MalformedJson } from '../json/strict-json.ts'
import { readTransferRules } from './read-rules.ts'
import type { TransferRules } from './rules.ts'

const ETHER = 'eip155:1/slip44:60'
const read = (value: unknown) => readTransferRules(value, '/policy/transfers', readClientKey)
const rules: TransferRules = {
  chains: { allow: ['eip155:1', 'bip122:000000000019d6689c085ae165831e93'] },
  assets: { deny: ['eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'] },
  destinations: { allow: ['eip155:1:0x70997970C51812dc3A010C7d01b50e0d17dc79C8'], deny: [] },
  fees: [{ id: 'gas', chain: 'eip155:1', atMost: '10' }],
  limits: [
    { id: 'once', atMost: { usd: '100.50' } },
    { id: 'daily', atMost: { asset: ETHER, amount: '5' }, windowSeconds: 86_400 },
  ],
  tiers: [{ id: 'large', above: { usd: '100000' }, signers: 5, approvals: 2, delaySeconds: 60 }],
  approvers: [createSigner('alice').key, createSigner('bob', 'P-256').key],
  typedData: [{ contract: 'eip155:1:0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC', primaryType: 'Mail' }],
}
const policy: KeyPolicy = { version: 1, walletId: 'w', clientKeys: [], rawDigests: false, approvals: null, presignatures: 10 }

test('rules are read as they were written', (t) => {
  t.deepEqual(read(rules), rules)
  t.deepEqual(read({}), {})
  t.deepEqual(read({ typedData: 'any' }), { typedData: 'any' })
})

for (const [what, value, at] of [
  ['what is no object', [], ''],
  ['a rule that nobody knows', { limit: [] }, '/limit'],
  ['a name of every object', { constructor: {} }, '/constructor'],
  ['a list that neither allows nor denies', { chains: {} }, '/chains'],
  ['an entry that is no chain', { chains: { allow: ['ethereum'] } }, '/chains/allow/0'],
  ['an entry that is no asset', { assets: { deny: ['eip155:1'] } }, '/assets/deny/0'],
  ['an entry that is no destination', { destinations: { deny: ['0x00'] } }, '/destinations/deny/0'],
  ['a number for an amount', { fees: [{ id: 'a', chain: 'eip155:1', atMost: 5 }] }, '/fees/0/atMost'],
  ['an amount with leading zeros', { fees: [{ id: 'a', chain: 'eip155:1', atMost: '05' }] }, '/fees/0/atMost'],
  ['a limit without an id', { limits: [{ atMost: { usd: '1' } }] }, '/limits/0/id'],
  ['a limit without a value', { limits: [{ id: 'a' }] }, '/limits/0/atMost'],
  ['a value of both kinds', { limits: [{ id: 'a', atMost: { usd: '1', amount: '1' } }] }, '/limits/0/atMost/amount'],
  ['dollars with one decimal', { limits: [{ id: 'a', atMost: { usd: '1.5' } }] }, '/limits/0/atMost/usd'],
  ['negative dollars', { limits: [{ id: 'a', atMost: { usd: '-1' } }] }, '/limits/0/atMost/usd'],
  ['a window of no time', { limits: [{ id: 'a', atMost: { usd: '1' }, windowSeconds: 0 }] }, '/limits/0/windowSeconds'],
  ['a window that is too long', { limits: [{ id: 'a', atMost: { usd: '1' }, windowSeconds: 2_592_001 }] }, '/limits/0/windowSeconds'],
  ['typed data of a name that there is not', { typedData: 'all' }, '/typedData'],
  ['typed data without a type', { typedData: [{ contract: `eip155:1:0x${'c'.repeat(40)}` }] }, '/typedData/0/primaryType'],
  [
    'typed data for a contract of no chain',
    { typedData: [{ contract: `0x${'c'.repeat(40)}`, primaryType: 'Mail' }] },
    '/typedData/0/contract',
  ],
  [
    'typed data for a contract with a wrong checksum',
    { typedData: [{ contract: 'eip155:1:0xCCCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC', primaryType: 'Mail' }] },
    '/typedData/0/contract',
  ],
  ['a tier that asks for nothing', { tiers: [{ id: 'a', above: { usd: '1' } }] }, '/tiers/0'],
  ['more signers than a key can have', { tiers: [{ id: 'a', above: { usd: '1' }, signers: 8 }] }, '/tiers/0/signers'],
  ['more approvals than fit into a header', { tiers: [{ id: 'a', above: { usd: '1' }, approvals: 21 }] }, '/tiers/0/approvals'],
  ['a delay that is too long', { tiers: [{ id: 'a', above: { usd: '1' }, delaySeconds: 604_801 }] }, '/tiers/0/delaySeconds'],
  ['null', { tiers: [{ id: 'a', above: { usd: '1' }, signers: 3, approvals: null }] }, '/tiers/0/approvals'],
  ['one id twice', { limits: [{ id: 'a', atMost: { usd: '1' } }], fees: [{ id: 'a', chain: 'eip155:1', atMost: '1' }] }, ''],
  ['an id that names a part of the policy', { limits: [{ id: 'approvals', atMost: { usd: '1' } }] }, ''],
  ['too many entries', { chains: { allow: Array.from({ length: 1_001 }, () => 'eip155:1') } }, '/chains/allow'],
  ['too many characters', { assets: { allow: Array.from({ length: 900 }, () => `eip155:1/slip44:${'6'.repeat(120)}`) } }, ''],
] as const) {
  test(`${what} is refused, and where it stands is told`, (t) => {
    const error = t.throws(() => read(value), { instanceOf: DomainError, code: 'transfer_rules_invalid' }) as DomainError
    t.is(error.pointer, `/policy/transfers${at}`)
  })
}

test('rules are sealed with a share in one encoding, whatever order their fields had', (t) => {
  const turn = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(turn)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .toReversed()
              .map(([name, each]) => [name, turn(each)]),
          )
        : value
  const encoded = encodePolicy({ ...policy, transfers: rules })
  t.deepEqual(decodePolicy(encoded), { ...policy, transfers: rules })
  t.deepEqual(encodePolicy({ ...policy, transfers: read(turn(rules)) }), encoded)
  t.throws(() => decodePolicy(Buffer.from(Buffer.from(encoded).toString().replace('"signers":5', '"signers":9'))), {
    instanceOf: MalformedJson,
  })
  t.throws(() => decodePolicy(Buffer.from(Buffer.from(encoded).toString().replace('"id":"gas"', '"id":"gas","more":1'))), {
    instanceOf: MalformedJson,
  })
})

test('a client who follows the documents computes the digest that shares are bound to', (t) => {
  t.is(
    policyDigestOfClient({ walletId: 'w', clientKeys: [], transfers: rules }),
    Buffer.from(policyDigest(encodePolicy({ ...policy, transfers: rules }))).toString('hex'),
  )
})

test('a policy without rules for transfers has the encoding that it had before there were any', (t) => {
  t.is(
    Buffer.from(encodePolicy(policy)).toString(),
    '{"version":1,"walletId":"w","clientKeys":[],"rawDigests":false,"approvals":null,"presignatures":10}',
  )
})

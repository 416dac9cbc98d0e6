import { utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { MalformedJson } from '../json/strict-json.ts'
import { decodePolicy, encodePolicy, type KeyPolicy } from './key-policy.ts'
import { createSigner } from './testing/signer.ts'

const policy: KeyPolicy = {
  version: 3,
  walletId: 'w',
  clientKeys: [createSigner('laptop').key, createSigner('hsm', 'P-256').key],
  rawDigests: true,
  approvals: { required: 1, approvers: [createSigner('é').key] },
  presignatures: 1000,
}

test('a policy that is encoded is decoded again', (t) => {
  for (const each of [policy, { ...policy, approvals: null }, { ...policy, clientKeys: [] }])
    t.deepEqual(decodePolicy(encodePolicy(each)), each)
})

test('a policy has one encoding, in whichever order its fields are given', (t) => {
  const turned = Object.fromEntries(Object.entries(policy).toReversed()) as KeyPolicy
  t.deepEqual(encodePolicy(turned), encodePolicy(policy))
})

test('anything but that encoding is refused', (t) => {
  const text = Buffer.from(encodePolicy(policy)).toString()
  for (const other of [
    '',
    ` ${text}`,
    `${text}\n`,
    text.replace('{', '{"more":1,'),
    text.replace('"version":3', '"version":0'),
    text.replace('"version":3', '"version":3.0'),
    text.replace('"version":3', '"version":2,"version":3'),
    text.replace('"presignatures":1000', '"presignatures":20'),
    text.replace('"required":1', '"required":2'),
    text.replace('"required":1', '"required":0'),
    text.replace('"rawDigests":true', '"rawDigests":1'),
    text.replace('"walletId":"w"', '"walletId":null'),
    text.replace('"crv":"P-256"', '"crv":"P-384"'),
    text.replace('é', '\\u00e9'),
  ]) {
    t.not(other, text)
    t.throws(() => decodePolicy(utf8ToBytes(other)), { instanceOf: MalformedJson }, other)
  }
  t.throws(() => decodePolicy(new Uint8Array(131_073).fill(0x20)), { instanceOf: MalformedJson })
})

test('the largest policy that a wallet can have is not too long', (t) => {
  const key = { ...createSigner('\u0001'.repeat(200), 'P-256').key }
  const largest = { ...policy, clientKeys: Array(20).fill(key), approvals: { required: 20, approvers: Array(50).fill(key) } }
  t.notThrows(() => decodePolicy(encodePolicy(largest)))
})

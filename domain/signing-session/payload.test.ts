import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { DomainError } from '../domain-error.ts'
import { typedDataDigest } from '../ethereum/typed-data.ts'
import { MalformedJson } from '../json/strict-json.ts'
import { protocolOf } from '../threshold/registry.ts'
import { messageToSign, type Payload, readWantedSignature } from './payload.ts'

const read = (body: unknown) => readWantedSignature(JSON.stringify(body))
const message = { kind: 'message', encoding: 'utf8', data: 'pay nobody' }
const eddsa = { scheme: 'frost-ed25519', message: (bytes: Uint8Array) => bytes }
const ecdsa = protocolOf('dkls23-secp256k1')
const strict = { rawDigests: false }
const personal = { kind: 'eip191', encoding: 'utf8', data: 'hello world' }
const typed = {
  kind: 'eip712',
  typedData: { types: { Vote: [{ name: 'yes', type: 'bool' }] }, primaryType: 'Vote', domain: { name: 'Poll' }, message: { yes: true } },
}

test('a body says what is to be signed, and by the key at which path', (t) => {
  t.deepEqual(read({ payload: message }), { payload: message, path: 'm' })
  for (const payload of [personal, typed]) t.deepEqual(read({ payload }).payload as object, payload)
  t.is(read({ payload: message, path: 'm/0/2147483647' }).path, 'm/0/2147483647')
  t.deepEqual(read({ payload: { kind: 'digest', data: 'AB'.repeat(32) } }).payload, { kind: 'digest', data: 'ab'.repeat(32) })
})

for (const [what, body] of [
  ['nothing', {}],
  ['an unknown field', { payload: message, more: 1 }],
  ['an unknown field of the payload', { payload: { ...message, more: 1 } }],
  ['an unknown kind', { payload: { ...message, kind: 'transaction' } }],
  ['an unknown encoding', { payload: { ...message, encoding: 'base64' } }],
  ['no data', { payload: { kind: 'message', encoding: 'utf8' } }],
  ['half a byte', { payload: { ...message, encoding: 'hex', data: 'abc' } }],
  ['a digest that is too short', { payload: { kind: 'digest', data: 'ab' } }],
  ['a digest with an encoding', { payload: { kind: 'digest', encoding: 'hex', data: 'ab'.repeat(32) } }],
  ['a personal message without an encoding', { payload: { kind: 'eip191', data: 'x' } }],
  ['a personal message of half a byte', { payload: { ...personal, encoding: 'hex', data: 'abc' } }],
  ['a personal message with typed data', { payload: { ...personal, typedData: typed.typedData } }],
  ['typed data with data', { payload: { ...typed, data: '00' } }],
  ['no typed data', { payload: { kind: 'eip712' } }],
  ['more characters than any may have', { payload: { ...typed, typedData: { text: 'x'.repeat(256 * 1024) } } }],
  ['data that are no text', { payload: { ...message, data: 7 } }],
  ['data that are too long', { payload: { ...message, data: 'x'.repeat(131_073) } }],
  ['null for a path', { payload: message, path: null }],
] as const) {
  test(`a body with ${what} is refused`, (t) => {
    t.throws(() => read(body), { instanceOf: MalformedJson })
  })
}

for (const [what, path] of [
  ['a hardened path', "m/0'"],
  ['a path of hardened indices by number', 'm/2147483648'],
  ['a path with a second spelling', 'm/00'],
  ['a path that begins elsewhere', '/0'],
  ['a path that ends in nothing', 'm/'],
  ['a path that is too long', `m${'/0'.repeat(11)}`],
] as const) {
  test(`a body with ${what} is refused`, (t) => {
    t.throws(() => read({ payload: message, path }), { instanceOf: DomainError, code: 'path_invalid' })
  })
}

test('half a surrogate pair, which has no bytes, and a name that stands twice are refused', (t) => {
  const body = JSON.stringify({ payload: message })
  t.throws(() => readWantedSignature(body.replace('pay', '\\ud800')), { instanceOf: MalformedJson })
  t.throws(() => readWantedSignature(body.replace('"data"', '"data":"pay me","data"')), { instanceOf: MalformedJson })
})

test('what Ethereum has people sign needs an ECDSA key, and no policy that allows bare digests', (t) => {
  for (const [payload, digest] of [
    [personal, 'd9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68'],
    [{ ...personal, encoding: 'hex', data: '68656c6c6F20776f726c64' }, 'd9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68'],
    [typed, bytesToHex(typedDataDigest(typed.typedData))],
  ] as const) {
    const wanted = read({ payload }).payload
    t.is(bytesToHex(messageToSign(wanted, strict, ecdsa)), digest)
    for (const scheme of ['frost-ed25519', 'frost-secp256k1-tr'])
      t.throws(() => messageToSign(wanted, strict, { ...eddsa, scheme }), { instanceOf: DomainError, code: 'payload_not_supported' })
  }
})

test('what is wrong with typed data is told by its place in the body', (t) => {
  for (const [typedData, pointer] of [
    [null, '/payload/typedData'],
    [{}, '/payload/typedData/types'],
    [{ ...typed.typedData, message: { yes: 'no' } }, '/payload/typedData/message/yes'],
  ] as const) {
    const error = t.throws(() => messageToSign(read({ payload: { ...typed, typedData } }).payload, strict, ecdsa), {
      instanceOf: DomainError,
    })
    t.like(error, { code: 'typed_data_invalid', pointer })
  }
})

test('a policy with rules for transfers names the typed data that are signed, unless it allows bare digests', (t) => {
  const contract = `0x${'c0'.repeat(20)}`
  const typedData = { ...typed.typedData, domain: { chainId: '0x89', verifyingContract: contract } }
  const sign = (policy: Parameters<typeof messageToSign>[1]) => messageToSign({ kind: 'eip712', typedData }, policy, ecdsa)
  const refused = t.throws(() => sign({ ...strict, transfers: {} }), { instanceOf: DomainError })
  t.like(refused, { code: 'typed_data_not_allowed', pointer: '/payload/typedData' })
  const named = { typedData: [{ contract: `eip155:137:${contract}`, primaryType: 'Vote' }] }
  for (const policy of [strict, { ...strict, transfers: named }, { rawDigests: true, transfers: {} }])
    t.deepEqual(sign(policy), typedDataDigest(typedData))
})

test('what is signed follows from the payload; a bare digest needs a policy', (t) => {
  const { payload } = read({ payload: message })
  t.deepEqual(messageToSign(payload, strict, eddsa), utf8ToBytes('pay nobody'))
  t.is(bytesToHex(messageToSign({ kind: 'message', encoding: 'hex', data: '00FF' }, strict, eddsa)), '00ff')
  const digest = { kind: 'digest', data: 'ab'.repeat(32) } as const
  t.is(bytesToHex(messageToSign(digest, { rawDigests: true }, eddsa)), digest.data)
  t.throws(() => messageToSign(digest, strict, eddsa), { instanceOf: DomainError, code: 'raw_digest_not_allowed' })
})

test('a message behind which a transaction can hide needs a policy that allows bare digests', (t) => {
  const tag = bytesToHex(sha256(utf8ToBytes('TapSighash')))
  for (const [protocol, data] of [
    [ecdsa, 'ab'.repeat(32)],
    [protocolOf('frost-secp256k1-tr'), `${tag}${tag}00`],
    // The message of a legacy transaction by one signer that does nothing.
    [protocolOf('frost-ed25519'), `01000001${'07'.repeat(64)}00`],
  ] as const) {
    const payload = { kind: 'message', encoding: 'hex', data } as const
    const error = t.throws(() => messageToSign(payload, strict, protocol), { instanceOf: DomainError })
    t.like(error, { code: 'message_hides_transaction', pointer: '/payload/data' })
    t.deepEqual(messageToSign(payload, { rawDigests: true }, protocol), protocol.message(hexToBytes(data)))
    t.notThrows(() => messageToSign({ ...payload, data: `${data}00` }, strict, protocolOf('frost-ed25519')))
  }
})

test('ECDSA signs the SHA-256 of a message, and a bare digest as it is', (t) => {
  const digestOf = (payload: Payload) => bytesToHex(messageToSign(payload, { rawDigests: true }, ecdsa))
  // FIPS 180-4, example for SHA-256 of one block.
  t.is(digestOf({ kind: 'message', encoding: 'utf8', data: 'abc' }), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  t.is(digestOf({ kind: 'digest', data: 'ab'.repeat(32) }), 'ab'.repeat(32))
})

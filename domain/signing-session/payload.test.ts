import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import { DomainError } from '../domain-error.ts'
import { MalformedJson } from '../json/strict-json.ts'
import { protocolOf } from '../threshold/registry.ts'
import { messageToSign, type Payload, readWantedSignature } from './payload.ts'

const read = (body: unknown) => readWantedSignature(JSON.stringify(body))
const message = { kind: 'message', encoding: 'utf8', data: 'pay nobody' }
const ed25519 = { scheme: 'frost-ed25519', message: (bytes: Uint8Array) => bytes }
const ecdsa = protocolOf('dkls23-secp256k1')

test('a body says what is to be signed, and by the key at which path', (t) => {
  t.deepEqual(read({ payload: message }), { payload: message, path: 'm' })
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

test('payloads that need another scheme are told so', (t) => {
  t.throws(() => read({ payload: { kind: 'eip712', typedData: {} } }), { instanceOf: DomainError, code: 'payload_not_supported' })
  const { payload } = read({ payload: { ...message, kind: 'eip191' } })
  t.throws(() => messageToSign(payload, { rawDigests: true }, ed25519), { instanceOf: DomainError, code: 'payload_not_supported' })
})

test('what is signed follows from the payload; a bare digest needs a policy', (t) => {
  const { payload } = read({ payload: message })
  t.deepEqual(messageToSign(payload, { rawDigests: false }, ed25519), utf8ToBytes('pay nobody'))
  t.is(bytesToHex(messageToSign({ kind: 'message', encoding: 'hex', data: '00FF' }, { rawDigests: false }, ed25519)), '00ff')
  const digest = { kind: 'digest', data: 'ab'.repeat(32) } as const
  t.is(bytesToHex(messageToSign(digest, { rawDigests: true }, ed25519)), digest.data)
  t.throws(() => messageToSign(digest, { rawDigests: false }, ed25519), { instanceOf: DomainError, code: 'raw_digest_not_allowed' })
})

test('ECDSA signs the SHA-256 of a message, a bare digest as it is, and what Ethereum wallets sign of a message', (t) => {
  const digestOf = (payload: Payload) => bytesToHex(messageToSign(payload, { rawDigests: true }, ecdsa))
  const utf8 = (kind: 'message' | 'eip191', data: string): Payload => ({ kind, encoding: 'utf8', data })
  // FIPS 180-4, example for SHA-256 of one block.
  t.is(digestOf(utf8('message', 'abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  t.is(digestOf({ kind: 'digest', data: 'ab'.repeat(32) }), 'ab'.repeat(32))
  // The examples of ethers' hashMessage and of web3.eth.accounts.hashMessage.
  t.is(digestOf(utf8('eip191', 'hello world')), 'd9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68')
  t.is(digestOf(utf8('eip191', 'Hello World')), 'a1de988600a42c4b4ab089b619297c17d53cffae5d5120d82d8a92d0bb3b78f2')
})

import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hexToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import fc from 'fast-check'
import { getAddress, toHex } from 'viem'
import { publicKeyToAddress } from 'viem/utils'
import { InvalidPublicKey } from '../../../domain/ports/chain.ts'
import { addressOf, readAddress } from './address.ts'

const secretKey = fc.bigInt({ min: 1n, max: secp256k1.Point.Fn.ORDER - 1n })

test('the first secret keys have the addresses that everybody knows', (t) => {
  t.is(addressOf(secp256k1.Point.BASE.toBytes()), '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf')
  t.is(addressOf(secp256k1.Point.BASE.double().toBytes()), '0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF')
})

test('the address of any key is the one that viem makes of it, and is read as itself in either spelling', (t) => {
  fc.assert(
    fc.property(secretKey, (secret) => {
      const point = secp256k1.Point.BASE.multiply(secret)
      const address = addressOf(point.toBytes())
      t.is(address, publicKeyToAddress(toHex(point.toBytes(false))))
      t.is(readAddress(address, '/to'), address)
      t.is(readAddress(address.toLowerCase(), '/to'), address)
    }),
    { numRuns: 50 },
  )
})

test('any 20 bytes are read as viem reads them', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) => {
      t.is(readAddress(toHex(bytes), '/to'), getAddress(toHex(bytes)))
    }),
  )
})

test('a letter in the wrong case anywhere is noticed', (t) => {
  const address = '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359'
  for (const [index, letter] of [...address].entries()) {
    if (index < 2 || !/[a-f]/i.test(letter)) continue
    const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()
    const wrong = address.slice(0, index) + other + address.slice(index + 1)
    t.throws(() => readAddress(wrong, '/to'), { code: 'address_checksum_wrong' }, wrong)
  }
})

for (const [what, text] of [
  ['a digit too few', '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d35'],
  ['a digit too many', '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d3591'],
  ['no prefix', 'fB6916095ca1df60bB79Ce92cE3Ea74c37c5d359'],
  ['a prefix in upper case', '0XfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359'],
  ['white space', '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359\n'],
  ['a letter that is no digit', '0xgB6916095ca1df60bB79Ce92cE3Ea74c37c5d359'],
  ['an address of Bitcoin', 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu'],
  ['nothing', ''],
] as const) {
  test(`${what} is no address of Ethereum, and the error says where it stands`, (t) => {
    t.throws(() => readAddress(text, '/to'), { code: 'address_malformed' })
    t.like(
      t.throws(() => readAddress(text, '/to')),
      { pointer: '/to' },
    )
  })
}

test('what is no compressed point has no address', (t) => {
  const point = secp256k1.Point.BASE
  for (const bytes of [point.toBytes(false), point.toBytes().subarray(1), new Uint8Array(33), hexToBytes(`02${'ff'.repeat(32)}`)])
    t.throws(() => addressOf(bytes), { instanceOf: InvalidPublicKey })
})

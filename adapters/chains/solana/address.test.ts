import { randomBytes } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { hexToBytes } from '@noble/hashes/utils.js'
import { base58 } from '@scure/base'
import { getAddressDecoder, isAddress } from '@solana/kit'
import test from 'ava'
import fc from 'fast-check'
import { InvalidPublicKey } from '../../../domain/ports/chain.ts'
import { protocolOf } from '../../../domain/threshold/registry.ts'
import { generateKey } from '../../../domain/threshold/testing/star.ts'
import { addressOf, readAddress } from './address.ts'

test('a key at any path has the address that @solana/kit gives it, which is read as itself', (t) => {
  const protocol = protocolOf('frost-ed25519')
  const { publicPackage } = generateKey(protocol, { threshold: 2, parties: 3 }).get(1)!
  const path = fc.array(fc.nat(2 ** 31 - 1), { maxLength: 10 })
  fc.assert(
    fc.property(path, (indices) => {
      const { publicKey } = protocol.derive(publicPackage, indices)
      const address = addressOf(publicKey)
      t.is(address, getAddressDecoder().decode(publicKey))
      t.is(readAddress(address, '/to'), address)
    }),
    { numRuns: 30 },
  )
})

test('any 32 bytes have one spelling, that of @solana/kit, and may be paid to: those of programs are no points', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const address = base58.encode(bytes)
      t.is(address, getAddressDecoder().decode(bytes))
      t.is(readAddress(address, '/to'), address)
    }),
  )
})

test('what @solana/kit takes for an address is taken, and nothing else', (t) => {
  const alphabet = [...'123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz', '0', 'O', 'I', 'l']
  const text = fc.array(fc.constantFrom(...alphabet), { minLength: 30, maxLength: 46 }).map((letters) => letters.join(''))
  const taken = (address: string) => {
    try {
      return readAddress(address, '/to') === address
    } catch {
      return false
    }
  }
  fc.assert(
    fc.property(text, (address) => t.is(taken(address), isAddress(address), address)),
    { numRuns: 500 },
  )
  for (const address of ['11111111111111111111111111111111', 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA']) t.true(taken(address))
})

for (const [what, text] of [
  ['31 bytes', base58.encode(randomBytes(31).fill(255))],
  ['33 bytes', base58.encode(randomBytes(33).fill(255))],
  ['one zero too many', '111111111111111111111111111111111'],
  ['white space', 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA '],
  ['an address of Ethereum', '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf'],
  ['an address of Bitcoin', 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu'],
  ['nothing', ''],
] as const) {
  test(`${what} is no address of Solana, and the error says where it stands`, (t) => {
    t.like(
      t.throws(() => readAddress(text, '/to'), { code: 'address_malformed' }),
      { pointer: '/to' },
    )
  })
}

test('the neutral element, points of small order or with a torsion part, and what is no point have no address', (t) => {
  const { Point } = ed25519
  const torsion = Point.fromBytes(hexToBytes('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'))
  t.true(torsion.isSmallOrder())
  for (const bytes of [
    Point.ZERO.toBytes(),
    torsion.toBytes(),
    Point.BASE.add(torsion).toBytes(),
    hexToBytes(`02${'00'.repeat(31)}`),
    hexToBytes(`ee${'ff'.repeat(30)}7f`),
    new Uint8Array(31),
  ])
    t.throws(() => addressOf(bytes), { instanceOf: InvalidPublicKey })
})

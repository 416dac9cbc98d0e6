import { bytesToHex } from '@noble/hashes/utils.js'
import test from 'ava'
import fc from 'fast-check'
import { atomicType } from './atomic-types.ts'

const encoded = (type: string, value: unknown) => {
  const bytes = atomicType(type)!.encode(value)
  return bytes && bytesToHex(bytes)
}
const sizes = fc.integer({ min: 1, max: 32 })

/** The bits of two's complement, by hand: those of the number below 2^256 that differs from it by a multiple of 2^256. */
const twosComplement = (value: bigint) => (value < 0n ? (1n << 256n) + value : value).toString(16).padStart(64, '0')

test('integers of every size are 32 bytes, big-endian, in two’s complement, in whichever way they are written', (t) => {
  fc.assert(
    fc.property(sizes, fc.boolean(), fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }), (size, signed, bits) => {
      const type = `${signed ? '' : 'u'}int${8 * size}`
      const value = signed ? BigInt.asIntN(8 * size, bits) : BigInt.asUintN(8 * size, bits)
      t.is(encoded(type, value.toString()), twosComplement(value))
      if (value >= 0n) t.is(encoded(type, `0x${value.toString(16)}`), twosComplement(value))
      if (Number.isSafeInteger(Number(value))) t.is(encoded(type, Number(value)), twosComplement(value))
    }),
  )
})

test('integers end where their type ends', (t) => {
  for (let bits = 8; bits <= 256; bits += 8) {
    const [half, all] = [1n << BigInt(bits - 1), 1n << BigInt(bits)]
    for (const [type, value, fits] of [
      [`uint${bits}`, all - 1n, true],
      [`uint${bits}`, all, false],
      [`uint${bits}`, -1n, false],
      [`int${bits}`, half - 1n, true],
      [`int${bits}`, half, false],
      [`int${bits}`, -half, true],
      [`int${bits}`, -half - 1n, false],
    ] as const)
      t.is(encoded(type, value.toString()) !== undefined, fits, `${type} ${value}`)
  }
  t.is(encoded('int8', '-1'), 'ff'.repeat(32))
  t.is(encoded('int8', '0xff'), undefined)
})

for (const value of [
  '',
  '+1',
  '-0',
  '00',
  '01',
  '-01',
  ' 1',
  '1 ',
  '1\n',
  '1.0',
  '1e3',
  '1_000',
  '1n',
  '١',
  '0x',
  '0x00',
  '0x01',
  '0X1',
  '-0x1',
  '0b1',
  '0o7',
  'ff',
  '9'.repeat(79),
  `0x1${'0'.repeat(64)}`,
  1.5,
  2 ** 53,
  -(2 ** 53),
  1e21,
  true,
  null,
  [],
  ['1'],
  {},
] as const) {
  test(`an integer is not written ${JSON.stringify(value)?.slice(0, 20)}`, (t) => {
    for (const type of ['uint256', 'int256']) t.is(encoded(type, value), undefined)
  })
}

test('bytes of a fixed length have that length, and are padded on the right', (t) => {
  fc.assert(
    fc.property(sizes, fc.uint8Array({ maxLength: 33 }), (size, bytes) => {
      const text = `0x${bytesToHex(bytes)}`
      t.is(encoded(`bytes${size}`, text), bytes.length === size ? bytesToHex(bytes).padEnd(64, '0') : undefined)
    }),
  )
  for (const wrong of ['1234', '0x123', '0X1234', '0x12g4', 'ab', '0x 12', 0x1234, [0x12, 0x34], null])
    t.is(encoded('bytes2', wrong), undefined)
})

test('bytes and text are their hash, and one is not the other', (t) => {
  const ofNothing = 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'
  t.is(encoded('bytes', '0x'), ofNothing)
  t.is(encoded('string', ''), ofNothing)
  t.is(encoded('bytes', '0x61'), encoded('string', 'a'))
  t.not(encoded('string', '0x61'), encoded('bytes', '0x61'))
  for (const wrong of ['', '61', '0x6', '0xzz', '0X61', 0x61, null, []]) t.is(encoded('bytes', wrong), undefined)
  for (const wrong of ['\ud800', 'a\udc00', 1, true, null, ['a'], {}]) t.is(encoded('string', wrong), undefined)
})

test('truth is JSON’s, and an address is padded on the left', (t) => {
  t.is(encoded('bool', true), '1'.padStart(64, '0'))
  t.is(encoded('bool', false), '0'.repeat(64))
  for (const wrong of [0, 1, 'true', '', '0x1', null]) t.is(encoded('bool', wrong), undefined)
  const address = '0xde709f2102306220921060314715629080e2fb77'
  t.is(encoded('address', address), address.slice(2).padStart(64, '0'))
  for (const wrong of [address.replace('de', 'De'), address.slice(2), `${address}00`, '0x0', 0, null])
    t.is(encoded('address', wrong), undefined)
})

for (const name of [
  ...['uint', 'int', 'uint0', 'uint7', 'uint264', 'int08', 'uint256 ', 'Uint8', 'byte', 'bytes0', 'bytes33', 'bytes01', 'bytes256'],
  ...['fixed', 'fixed128x18', 'ufixed8x1', 'function', 'number', 'constructor', '__proto__', 'toString', '', 'uint8[]'],
]) {
  test(`${JSON.stringify(name)} is no atomic type`, (t) => {
    t.is(atomicType(name), undefined)
  })
}

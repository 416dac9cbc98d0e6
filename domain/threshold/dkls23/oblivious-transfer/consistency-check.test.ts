import { randomBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import fc from 'fast-check'
import { TRANSFERS } from '../parameters.ts'
import { addRow } from './bit-matrix.ts'
import { CHALLENGE_BYTES, HASH_BYTES, ROW_BYTES, rowHash } from './consistency-check.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

test('the hash is the mask plus the blocks times the challenge, in the field of 2^128 elements', (t) => {
  fc.assert(
    fc.property(bytes(ROW_BYTES), bytes(CHALLENGE_BYTES), (row, challenge) => {
      const data = row.slice(0, TRANSFERS / 8)
      let expected = element(row.subarray(TRANSFERS / 8))
      for (let at = 0; at < data.length; at += HASH_BYTES)
        expected ^= product(element(data.slice(at, at + HASH_BYTES)), element(challenge.slice(at, at + HASH_BYTES)))
      t.is(element(rowHash(challenge)(row)), expected)
    }),
    { numRuns: 30 },
  )
})

test('the hash of a sum of rows is the sum of their hashes', (t) => {
  fc.assert(
    fc.property(bytes(ROW_BYTES), bytes(ROW_BYTES), bytes(CHALLENGE_BYTES), (first, second, challenge) => {
      const hash = rowHash(challenge)
      const sum = first.slice()
      addRow(sum, second, 1)
      const sumOfHashes = hash(first)
      addRow(sumOfHashes, hash(second), 1)
      t.deepEqual(hash(sum), sumOfHashes)
    }),
  )
})

test('every bit of a row counts', (t) => {
  const hash = rowHash(randomBytes(CHALLENGE_BYTES))
  const hashes = new Set([String(hash(new Uint8Array(ROW_BYTES)))])
  for (let bit = 0; bit < ROW_BYTES * 8; bit++) {
    const row = new Uint8Array(ROW_BYTES)
    row[bit >> 3] = 1 << (bit & 7)
    hashes.add(String(hash(row)))
  }
  t.is(hashes.size, 1 + ROW_BYTES * 8)
})

/** A polynomial over the field of two elements, the lowest bit of the first byte being its constant term. */
const element = (little: Uint8Array) => little.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)

function product(a: bigint, b: bigint): bigint {
  let sum = 0n
  for (let power = a; b > 0n; b >>= 1n) {
    if (b & 1n) sum ^= power
    power <<= 1n
    if (power >> 128n) power ^= (1n << 128n) | 0x87n
  }
  return sum
}

import { createHash } from 'node:crypto'
import type { Payment } from './psbt.ts'

/** A transaction in a block, as far as it is looked at. */
export type MinedTransaction = {
  readonly txid: string
  readonly spends: readonly { readonly txid: string; readonly index: number }[]
  readonly pays: readonly Payment[]
}

export type Block = { readonly previous: string; readonly transactions: readonly MinedTransaction[] }

const NO_TRANSACTION = '0'.repeat(64)

/** Whether it makes the coins of the block's miner. */
export const isCoinbase = ({ spends: [first] }: MinedTransaction): boolean => first === undefined || first.txid === NO_TRANSACTION

const HEADER_BYTES = 80
const [PREVIOUS, MERKLE_ROOT] = [4, 36]

/**
 * A block as nodes pass it on (BIP-144). It is the one of this hash, whoever has handed it out: the header is hashed, and the transactions are those that
 * the header commits to.
 * @throws RangeError when it is not, or is no block
 */
export function readBlock(bytes: Uint8Array, hash: string): Block {
  const reader = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  const header = reader.take(HEADER_BYTES)
  if (backwards(sha256x2(header)) !== hash) throw new RangeError('the block is another one')
  const transactions = reader.times(() => readTransaction(reader))
  reader.end()
  if (!merkleRoot(transactions.map(({ id }) => id)).equals(header.subarray(MERKLE_ROOT, MERKLE_ROOT + 32)))
    throw new RangeError('the transactions are not those of the block')
  return {
    previous: backwards(header.subarray(PREVIOUS, PREVIOUS + 32)),
    transactions: transactions.map(({ id, ...transaction }) => ({ txid: backwards(id), ...transaction })),
  }
}

function readTransaction(reader: Reader) {
  const start = reader.at
  reader.take(4)
  const hasWitness = reader.next() === 0
  if (hasWitness) reader.take(2)
  const body = reader.at
  const spends = reader.times(() => {
    const txid = backwards(reader.take(32))
    const index = reader.take(4).readUInt32LE()
    reader.take(reader.count())
    reader.take(4)
    return { txid, index }
  })
  const pays = reader.times(() => ({ amount: reader.take(8).readBigUInt64LE(), script: new Uint8Array(reader.take(reader.count())) }))
  const bodyEnd = reader.at
  if (hasWitness) for (const _ of spends) reader.times(() => reader.take(reader.count()))
  const lockTime = reader.take(4)
  return { id: sha256x2(reader.between(start, start + 4), reader.between(body, bodyEnd), lockTime), spends, pays }
}

/** An odd one is paired with itself. A list with the same pair at its end twice, which has the same root as without, no node takes for a block. */
function merkleRoot(leaves: readonly Buffer[]): Buffer {
  let level = leaves
  while (level.length > 1) {
    const pairs = Math.ceil(level.length / 2)
    level = Array.from({ length: pairs }, (_, pair) => sha256x2(level[2 * pair]!, level[2 * pair + 1] ?? level[2 * pair]!))
  }
  return level[0] ?? Buffer.alloc(0)
}

class Reader {
  at = 0
  constructor(private readonly bytes: Buffer) {}

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new RangeError('the block ends too early')
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }
  next = () => this.bytes[this.at]
  between = (start: number, end: number) => this.bytes.subarray(start, end)
  /** CompactSize. */
  count(): number {
    const first = this.take(1)[0]!
    if (first < 0xfd) return first
    if (first === 0xfd) return this.take(2).readUInt16LE()
    if (first === 0xfe) return this.take(4).readUInt32LE()
    throw new RangeError('nothing in a block is as long')
  }
  /** As many as the count that comes first; each takes a byte at least. */
  times<T>(read: () => T): T[] {
    const count = this.count()
    if (count > this.bytes.length - this.at) throw new RangeError('the block ends too early')
    return Array.from({ length: count }, read)
  }
  end(): void {
    if (this.at !== this.bytes.length) throw new RangeError('something comes after the block')
  }
}

const backwards = (hash: Uint8Array) => Buffer.from(hash).reverse().toString('hex')

function sha256x2(...parts: readonly Uint8Array[]): Buffer {
  const once = createHash('sha256')
  for (const part of parts) once.update(part)
  return createHash('sha256').update(once.digest()).digest()
}

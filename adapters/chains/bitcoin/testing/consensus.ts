/** Whether a transaction may spend what it spends, as BIP-143 and BIP-341 have it word by word: no code of a library, nor of what it tests. */
import { createHash } from 'node:crypto'
import { VERIFIERS } from '../../../../domain/threshold/testing/verifiers.ts'

export type Spent = { readonly script: Uint8Array; readonly amount: bigint }
export type Input = {
  readonly outpoint: Buffer
  readonly scriptSig: Buffer
  readonly sequence: Buffer
  readonly witness: readonly Buffer[]
}
export type ParsedTransaction = {
  readonly version: Buffer
  readonly inputs: readonly Input[]
  readonly outputs: readonly Buffer[]
  readonly lockTime: Buffer
}

const NONE = 2
const SINGLE = 3
const ANYONE_CAN_PAY = 0x80

const sha256 = (...parts: readonly Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const twice = (...parts: readonly Uint8Array[]) => sha256(sha256(...parts))
const uint32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer)
const uint64 = (value: bigint) => Buffer.from(BigUint64Array.of(value).buffer)
const withLength = (script: Uint8Array) => Buffer.concat([Uint8Array.of(script.length), script])

/** BIP-144, or as it was before. */
export function parse(raw: Uint8Array): ParsedTransaction {
  const bytes = Buffer.from(raw)
  let at = 0
  const take = (length: number) => {
    if (at + length > bytes.length) throw new RangeError('the transaction ends too early')
    at += length
    return bytes.subarray(at - length, at)
  }
  const compactSize = () => {
    const first = take(1)[0]!
    return first < 0xfd ? first : first === 0xfd ? take(2).readUInt16LE() : take(4).readUInt32LE()
  }
  const times = <T>(count: number, item: () => T) => Array.from({ length: count }, item)
  const version = take(4)
  const hasWitness = bytes[at] === 0
  if (hasWitness) take(2)
  const bare = times(compactSize(), () => ({ outpoint: take(36), scriptSig: take(compactSize()), sequence: take(4) }))
  const outputs = times(compactSize(), () => {
    const start = at
    take(8)
    take(compactSize())
    return bytes.subarray(start, at)
  })
  const inputs = bare.map((input) => ({ ...input, witness: hasWitness ? times(compactSize(), () => take(compactSize())) : [] }))
  const lockTime = take(4)
  if (at !== bytes.length) throw new RangeError('bytes are left over')
  return { version, inputs, outputs, lockTime }
}

export function txidOf({ version, inputs, outputs, lockTime }: ParsedTransaction): string {
  const parts = inputs.map(({ outpoint, scriptSig, sequence }) => Buffer.concat([outpoint, withLength(scriptSig), sequence]))
  return twice(version, Uint8Array.of(inputs.length), ...parts, Uint8Array.of(outputs.length), ...outputs, lockTime)
    .reverse()
    .toString('hex')
}

/** BIP-341, the key path, without an annex. */
export function taprootMessage(
  { version, inputs, outputs, lockTime }: ParsedTransaction,
  spent: readonly Spent[],
  index: number,
  type: number,
): Buffer {
  const anyone = (type & ANYONE_CAN_PAY) !== 0
  const kind = type & 3
  const { outpoint, sequence } = inputs[index]!
  const { amount, script } = spent[index]!
  const tag = sha256(Buffer.from('TapSighash'))
  return sha256(
    tag,
    tag,
    Uint8Array.of(0, type),
    version,
    lockTime,
    ...(anyone
      ? []
      : [
          sha256(...inputs.map((input) => input.outpoint)),
          sha256(...spent.map((coin) => uint64(coin.amount))),
          sha256(...spent.map((coin) => withLength(coin.script))),
          sha256(...inputs.map((input) => input.sequence)),
        ]),
    ...(kind === NONE || kind === SINGLE ? [] : [sha256(...outputs)]),
    Uint8Array.of(0),
    ...(anyone ? [outpoint, uint64(amount), withLength(script), sequence] : [uint32(index)]),
    ...(kind === SINGLE ? [sha256(outputs[index]!)] : []),
  )
}

/** BIP-143, SIGHASH_ALL. */
export function segwitMessage({ version, inputs, outputs, lockTime }: ParsedTransaction, { script, amount }: Spent, index: number): Buffer {
  const { outpoint, sequence } = inputs[index]!
  return twice(
    version,
    twice(...inputs.map((input) => input.outpoint)),
    twice(...inputs.map((input) => input.sequence)),
    outpoint,
    withLength(Buffer.concat([Buffer.from('76a914', 'hex'), script.subarray(2), Buffer.from('88ac', 'hex')])),
    uint64(amount),
    sequence,
    twice(...outputs),
    lockTime,
    uint32(1),
  )
}

/** Whether the witness of an input allows to spend a P2TR output by its key, or a P2WPKH output. */
export function maySpend(transaction: ParsedTransaction, spent: readonly Spent[], index: number): boolean {
  const { script } = spent[index]!
  const { witness, scriptSig } = transaction.inputs[index]!
  if (scriptSig.length > 0) return false
  const [signature, publicKey] = witness
  if (!signature) return false
  if (script[0] === 0x51 && script.length === 34) {
    if (witness.length !== 1 || (signature.length !== 64 && signature.length !== 65) || signature[64] === 0) return false
    const message = taprootMessage(transaction, spent, index, signature[64] ?? 0)
    return VERIFIERS['frost-secp256k1-tr'](script.subarray(2), message, signature.subarray(0, 64))
  }
  if (script[0] !== 0 || script.length !== 22 || !publicKey || witness.length !== 2 || signature.at(-1) !== 1) return false
  const keyHash = createHash('ripemd160').update(sha256(publicKey)).digest()
  const rs = fromDer(signature.subarray(0, -1))
  if (!keyHash.equals(script.subarray(2)) || !rs) return false
  return VERIFIERS['dkls23-secp256k1'](publicKey, segwitMessage(transaction, spent[index]!, index), rs)
}

/** BIP-66: the 64 bytes of a strict DER signature. */
function fromDer(der: Buffer): Buffer | undefined {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return undefined
  const numbers: Buffer[] = []
  for (let at = 2; at < der.length; ) {
    const number = der.subarray(at + 2, at + 2 + der[at + 1]!)
    const isMinimal = number.length > 0 && number[0]! < 0x80 && !(number[0] === 0 && (number[1] ?? 0) < 0x80)
    if (der[at] !== 2 || number.length !== der[at + 1] || !isMinimal) return undefined
    const unsigned = number[0] === 0 ? number.subarray(1) : number
    numbers.push(Buffer.concat([Buffer.alloc(32 - unsigned.length), unsigned]))
    at += 2 + number.length
  }
  return numbers.length === 2 ? Buffer.concat(numbers) : undefined
}

/** Keys sign for the outputs that their addresses pay to: transactions as consensus checks them, by code that is none of the engines' and of no library. */
import { createHash } from 'node:crypto'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { bech32, bech32m } from '@scure/base'
import { OutScript } from '@scure/btc-signer/payment.js'
import { Transaction } from '@scure/btc-signer/transaction.js'
import test from 'ava'
import { protocolOf } from '../../../domain/threshold/registry.ts'
import type { Scheme } from '../../../domain/threshold/scheme.ts'
import { generateKey, sign } from '../../../domain/threshold/testing/star.ts'
import { VERIFIERS } from '../../../domain/threshold/testing/verifiers.ts'
import { family } from './family.ts'

const bitcoin = family.chain('000000000019d6689c085ae165831e93')!
const AMOUNT = 100_000n
const SPENT = { txid: 'ab'.repeat(32), index: 1, sequence: 0xfffffffd }
const PAID = { amount: 99_000n, script: hexToBytes(`0014${'17'.repeat(20)}`) }
const PATHS: readonly (readonly number[])[] = [[], [0], [0, 5], [1, 2, 3]]

const sha256 = (...parts: readonly Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const uint32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer)
const uint64 = (value: bigint) => Buffer.from(BigUint64Array.of(value).buffer)
const withLength = (script: Uint8Array) => Buffer.concat([Uint8Array.of(script.length), script])
const outpoint = Buffer.concat([hexToBytes(SPENT.txid).reverse(), uint32(SPENT.index)])
const outputs = Buffer.concat([uint64(PAID.amount), withLength(PAID.script)])

/** The witness program of an address, read by its characters alone. */
function programOf(address: string): { version: number; program: Uint8Array } {
  const coder = address.startsWith('bc1q') ? bech32 : bech32m
  const [version, ...words] = coder.decode(address as `bc1${string}`).words
  return { version: version!, program: coder.fromWords(words) }
}

/** BIP-341: the common signature message for SIGHASH_DEFAULT, one input and its key path, with the tag and epoch 0. */
function taprootMessage(outputKey: Uint8Array): Uint8Array {
  const tag = createHash('sha256').update('TapSighash').digest()
  const script = Buffer.concat([Uint8Array.of(0x51, 0x20), outputKey])
  return sha256(
    tag,
    tag,
    Uint8Array.of(0, 0),
    uint32(2),
    uint32(0),
    sha256(outpoint),
    sha256(uint64(AMOUNT)),
    sha256(withLength(script)),
    sha256(uint32(SPENT.sequence)),
    sha256(outputs),
    Uint8Array.of(0),
    uint32(0),
  )
}

/** BIP-143, SIGHASH_ALL, for a P2WPKH output. */
function segwitMessage(keyHash: Uint8Array): Uint8Array {
  const scriptCode = Buffer.concat([hexToBytes('76a914'), keyHash, hexToBytes('88ac')])
  const twice = (...parts: Uint8Array[]) => sha256(sha256(...parts))
  return twice(
    uint32(2),
    twice(outpoint),
    twice(uint32(SPENT.sequence)),
    outpoint,
    withLength(scriptCode),
    uint64(AMOUNT),
    uint32(SPENT.sequence),
    twice(outputs),
    uint32(0),
    uint32(1),
  )
}

/** The same transaction, built by a library. */
function transactionSpending(script: Uint8Array): Transaction {
  const transaction = new Transaction({ version: 2 })
  transaction.addInput({ ...SPENT, witnessUtxo: { amount: AMOUNT, script } })
  transaction.addOutput(PAID)
  return transaction
}

function keysOf(scheme: Scheme) {
  const protocol = protocolOf(scheme)
  const keys = generateKey(protocol, { threshold: 2, parties: 2 })
  const publicKeyAt = (path: readonly number[]) => protocol.derive(keys.get(1)!.publicPackage, path).publicKey
  return { publicKeyAt, sign: (message: Uint8Array, path: readonly number[]) => sign(protocol, keys, [1, 2], message, path).signature }
}

test('frost-secp256k1-tr: at every path a quorum spends what was paid to the address there (BIP-341, key path)', (t) => {
  const key = keysOf('frost-secp256k1-tr')
  for (const path of PATHS) {
    const { version, program } = programOf(bitcoin.addressOf('frost-secp256k1-tr', key.publicKeyAt(path)))
    t.is(version, 1)
    const message = taprootMessage(program)
    const script = OutScript.encode({ type: 'tr', pubkey: program })
    t.deepEqual(transactionSpending(script).preimageWitnessV1(0, [script], 0, [AMOUNT]), new Uint8Array(message))
    t.true(VERIFIERS['frost-secp256k1-tr'](program, message, key.sign(message, path)))
  }
})

test('dkls23-secp256k1: at every path a quorum spends what was paid to the address there (BIP-143)', (t) => {
  const key = keysOf('dkls23-secp256k1')
  for (const path of PATHS) {
    const publicKey = key.publicKeyAt(path)
    const { version, program } = programOf(bitcoin.addressOf('dkls23-secp256k1', publicKey))
    t.is(version, 0)
    t.deepEqual(createHash('ripemd160').update(sha256(publicKey)).digest(), Buffer.from(program))
    const message = segwitMessage(program)
    const scriptCode = OutScript.encode({ type: 'pkh', hash: program })
    const script = OutScript.encode({ type: 'wpkh', hash: program })
    t.deepEqual(transactionSpending(script).preimageWitnessV0(0, scriptCode, 1, AMOUNT), new Uint8Array(message))
    t.true(VERIFIERS['dkls23-secp256k1'](publicKey, message, key.sign(message, path)))
  }
})

test('frost-secp256k1-tr: an address made as of an internal key, tweaked once more, could not be spent from', (t) => {
  const key = keysOf('frost-secp256k1-tr')
  const outputKey = key.publicKeyAt([])
  const tag = createHash('sha256').update('TapTweak').digest()
  const { Point } = secp256k1
  const tweaked = schnorr.utils
    .lift_x(BigInt(`0x${bytesToHex(outputKey)}`))
    .add(Point.BASE.multiply(BigInt(`0x${sha256(tag, tag, outputKey).toString('hex')}`)))
  const program = tweaked.toBytes().subarray(1)
  const message = taprootMessage(program)
  t.false(VERIFIERS['frost-secp256k1-tr'](program, message, key.sign(message, [])))
})

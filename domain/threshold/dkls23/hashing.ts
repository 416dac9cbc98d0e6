import { createHash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToNumberBE } from '@noble/curves/utils.js'
import { encodeFields, type Field } from '../../fields.ts'

/** Every random oracle of the protocol. What one is asked is never asked of another. */
export type Oracle =
  | 'base-transfer/point'
  | 'base-transfer/session'
  | 'base-transfer/seed'
  | 'extension/session'
  | 'extension/row'
  | 'extension/challenge'
  | 'extension/response'
  | 'multiplication/gadget'
  | 'multiplication/session'
  | 'multiplication/pad'
  | 'multiplication/challenge'
  | 'multiplication/response'
  | 'proof-of-knowledge'
  | 'commitment'
  | 'key-generation/session'
  | 'refresh/session'
  | 'set-up/session'
  | 'set-up/zero-sharing'
  | 'joint-sharing/echo'
  | 'joint-sharing/confirmation'
  | 'presigning/session'
  | 'presigning/nonce'
  | 'presigning/zero-sharing'
  | 'presigning/multiplication'
  | 'presigning/echo'
  | 'presigning/transcript'
  | 'signing/re-randomisation'

const PROTOCOL = 'quorate/dkls23-secp256k1/1'

/** As many bytes as asked for: SHAKE256 (FIPS 202) of the oracle's name, that number and the fields, each with its kind and length. */
export function ask(oracle: Oracle, length: number, ...fields: Field[]): Uint8Array {
  return createHash('shake256', { outputLength: length })
    .update(encodeFields(PROTOCOL, oracle, length, ...fields))
    .digest()
}

/**
 * Asks about many inputs of one length, and answers one after the other, the i-th being `ask(oracle, length, ...fields, i, input)`. What the
 * questions have in common is encoded once. Answers come as strings of bytes, which the platform hands over in half the time of an array.
 */
export function askAll(oracle: Oracle, length: number, inputs: Uint8Array, inputLength: number, ...fields: Field[]): Uint8Array {
  const question = encodeFields(PROTOCOL, oracle, length, ...fields, 0, new Uint8Array(inputLength))
  const inputAt = question.length - inputLength
  const index = new DataView(question.buffer, inputAt - FIELD_HEAD_BYTES - 4)
  const count = inputs.length / inputLength
  const answers = Buffer.alloc(count * length)
  for (let i = 0; i < count; i++) {
    index.setUint32(0, i)
    for (let k = 0; k < inputLength; k++) question[inputAt + k] = inputs[i * inputLength + k]!
    answers.write(createHash('shake256', { outputLength: length }).update(question).digest('binary'), i * length, 'latin1')
  }
  question.fill(0)
  return answers
}

/** Kind and length of a field. */
const FIELD_HEAD_BYTES = 5

/** A scalar within 2^-256 of uniform. */
export function askScalar(oracle: Oracle, ...fields: Field[]): bigint {
  return secp256k1.Point.Fn.create(bytesToNumberBE(ask(oracle, 64, ...fields)))
}

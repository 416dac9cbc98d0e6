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
  return shake256(length, encodeFields(PROTOCOL, oracle, length, ...fields))
}

/** The same as `ask(oracle, length, ...fields, index, input)`, for many inputs of one length: what they have in common is encoded once. */
export function askEach(oracle: Oracle, length: number, inputLength: number, ...fields: Field[]) {
  const question = encodeFields(PROTOCOL, oracle, length, ...fields, 0, new Uint8Array(inputLength))
  const inputAt = question.length - inputLength
  const indexAt = inputAt - LENGTH_OF_FIELD_HEAD - 4
  const view = new DataView(question.buffer)
  return (index: number, input: Uint8Array): Uint8Array => {
    view.setUint32(indexAt, index)
    question.set(input, inputAt)
    return shake256(length, question)
  }
}

const LENGTH_OF_FIELD_HEAD = 5

const shake256 = (outputLength: number, question: Uint8Array) => createHash('shake256', { outputLength }).update(question).digest()

/** A scalar within 2^-256 of uniform. */
export function askScalar(oracle: Oracle, ...fields: Field[]): bigint {
  return secp256k1.Point.Fn.create(bytesToNumberBE(ask(oracle, 64, ...fields)))
}

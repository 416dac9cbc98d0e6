import { createHash } from 'node:crypto'
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

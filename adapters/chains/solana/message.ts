import {
  type Address,
  appendTransactionMessageInstructions,
  type Blockhash,
  compileTransactionMessage,
  createTransactionMessage,
  getCompiledTransactionMessageDecoder,
  getCompiledTransactionMessageEncoder,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
} from '@solana/kit'
import { TransactionRefused } from '../../../domain/ports/transaction-codec.ts'
import { equalBytes } from '../../../domain/threshold/rounds.ts'
import { decodeStep, encodeStep, type Step } from './instructions.ts'

/** What is signed on Solana: who pays, until when, and what is done. `lifetime` is a recent block's hash, or a durable nonce. */
export type Message = { readonly payer: string; readonly lifetime: string; readonly steps: readonly Step[] }

/** Longest that a transaction with one signature can hold: 1,232 bytes less the signature and its count. */
const MAX_MESSAGE_BYTES = 1_232 - 65

/** In the form that is called legacy, which has no look-up tables. */
export function encodeMessage({ payer, lifetime, steps }: Message): Uint8Array {
  const message = pipe(
    createTransactionMessage({ version: 'legacy' }),
    (empty) => setTransactionMessageFeePayer(payer as Address, empty),
    // A nonce takes the place of the hash; that it is one follows from the first instruction.
    (paid) => setTransactionMessageLifetimeUsingBlockhash({ blockhash: lifetime as Blockhash, lastValidBlockHeight: 0n }, paid),
    (lasting) =>
      appendTransactionMessageInstructions(
        steps.map(encodeStep).map(({ program, accounts, data }) => ({
          programAddress: program as Address,
          accounts: accounts.map(({ address, role }) => ({ address: address as Address, role })),
          data,
        })),
        lasting,
      ),
  )
  return Uint8Array.from(getCompiledTransactionMessageEncoder().encode(compileTransactionMessage(message)))
}

/** Reads what `encodeMessage` gives, and nothing else. @throws TransactionRefused */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.length > MAX_MESSAGE_BYTES) throw new TransactionRefused('the transaction is too long')
  const message = messageIn(bytes)
  // Other ways to say the same, such as accounts in another order or with other rights, are not looked into.
  if (!equalBytes(encoded(message), bytes)) throw new TransactionRefused('the transaction is not in the one form in which it is made here')
  return message
}

function messageIn(bytes: Uint8Array): Message {
  try {
    const compiled = getCompiledTransactionMessageDecoder().decode(bytes)
    if (compiled.version !== 'legacy') throw new TransactionRefused('the transaction is of another version')
    const { staticAccounts, instructions, lifetimeToken } = compiled
    const account = (index: number): string => {
      const address = staticAccounts[index]
      if (address === undefined) throw new TransactionRefused('an account is missing')
      return address
    }
    const steps = instructions.map(({ programAddressIndex, accountIndices = [], data = new Uint8Array() }) => {
      const step = decodeStep({ program: account(programAddressIndex), accounts: accountIndices.map(account), data: Uint8Array.from(data) })
      if (!step) throw new TransactionRefused('there is an instruction that is no part of a transfer')
      return step
    })
    return { payer: account(0), lifetime: lifetimeToken, steps }
  } catch (error) {
    if (error instanceof TransactionRefused) throw error
    throw new TransactionRefused('this is no transaction')
  }
}

function encoded(message: Message): Uint8Array {
  try {
    return encodeMessage(message)
  } catch {
    throw new TransactionRefused('this is no transaction')
  }
}

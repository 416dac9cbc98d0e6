import { createPublicKey, verify } from 'node:crypto'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js'
import { base58, base64urlnopad } from '@scure/base'
import type { Chain } from '../../../domain/ports/chain.ts'
import { type Effect, type Sender, type TransactionCodec, TransactionRefused } from '../../../domain/ports/transaction-codec.ts'
import { addressOf } from './address.ts'
import { feeOf } from './fees.ts'
import type { Step } from './instructions.ts'
import { decodeMessage, type Message } from './message.ts'
import { nonceConflict } from './nonce-conflict.ts'
import { tokenAccountOf } from './programs.ts'

/** A block's hash is good for 150 blocks; they come every 0.4 s at best, and have taken three times as long at worst. */
const LIFETIME_SECONDS = 180

/** Steps come in this order, each at most once. Those of a transfer end it; without one the transaction cancels another. */
const ORDER: readonly Step['kind'][] = ['advanceNonce', 'unitLimit', 'unitPrice', 'memo', 'openTokenAccount', 'transfer', 'transferTokens']

/** Transactions of a cluster. Unsigned they are the message that is signed. */
export function transactionsOf({ id, nativeAsset }: Pick<Chain, 'id' | 'nativeAsset'>): TransactionCodec {
  const read = (unsigned: Uint8Array, sender: Sender): Effect => {
    const message = messageOf(unsigned, sender)
    const { steps, lifetime } = message
    const nonce = stepIn(steps, 'advanceNonce')
    if (nonce && nonce.authority !== sender.address) refuse('the durable nonce is not in the hands of the sender')
    return {
      ...moved(message, sender),
      fee: feeOf(steps),
      memo: stepIn(steps, 'memo')?.text ?? null,
      // The cluster takes the same message once, whoever wanted it how often.
      conflicts: [nonce ? nonceConflict(nonce.account, lifetime) : `message:${bytesToHex(sha256(unsigned))}`],
      lifetimeSeconds: nonce ? null : LIFETIME_SECONDS,
    }
  }

  const moved = ({ steps }: Message, { address }: Sender): Pick<Effect, 'kind' | 'asset' | 'to' | 'amount'> => {
    const coins = stepIn(steps, 'transfer')
    const tokens = stepIn(steps, 'transferTokens')
    const opened = stepIn(steps, 'openTokenAccount')
    if (coins) {
      if (tokens || opened) refuse('it moves more than one asset')
      if (coins.from !== address) refuse("it moves somebody else's funds")
      if (coins.to === address) refuse('it moves funds to where they are')
      if (coins.lamports === 0n) refuse('it moves nothing')
      return { kind: 'transfer', asset: nativeAsset, to: coins.to, amount: coins.lamports }
    }
    if (tokens) {
      // Whose the account is that tokens go to is said by the instruction that opens it, so that one is never left out.
      if (!opened || opened.mint !== tokens.mint || opened.payer !== address) return refuse('it does not say whom it pays')
      const { mint, amount } = tokens
      const { owner } = opened
      if (tokens.authority !== address || tokens.source !== tokenAccountOf(address, mint)) refuse("it moves somebody else's tokens")
      if (tokens.destination !== tokenAccountOf(owner, mint)) refuse('it pays into the account of another owner')
      if (owner === address) refuse('it moves tokens to where they are')
      if (amount === 0n) refuse('it moves nothing')
      return { kind: 'transfer', asset: `${id}/token:${mint}`, to: owner, amount }
    }
    if (opened) refuse('it moves nothing')
    if (!stepIn(steps, 'advanceNonce')) refuse('it does nothing')
    if (stepIn(steps, 'memo')) refuse('a cancellation says nothing')
    return { kind: 'cancellation', asset: nativeAsset, to: address, amount: 0n }
  }

  return {
    read,
    messages(unsigned, sender) {
      read(unsigned, sender)
      return [unsigned]
    },
    attach(unsigned, sender, signatures) {
      read(unsigned, sender)
      const [made, ...others] = signatures
      if (!made || others.length > 0) throw new TransactionRefused('the transaction takes one signature')
      if (made.signature.length !== 64 || !isBy(sender, unsigned, made.signature))
        throw new TransactionRefused("the signature is not the sender's")
      return { raw: concatBytes(Uint8Array.of(1), made.signature, unsigned), hash: base58.encode(made.signature) }
    },
  }
}

/** @throws TransactionRefused unless the sender alone signs and pays, and the steps are in order */
function messageOf(unsigned: Uint8Array, { scheme, publicKey, address }: Sender): Message {
  if (scheme !== 'frost-ed25519' || addressOf(publicKey) !== address) refuse('the sender has no key for this chain')
  const message = decodeMessage(unsigned)
  if (message.payer !== address) refuse('somebody else pays for it')
  const places = message.steps.map(({ kind }) => ORDER.indexOf(kind))
  if (places.some((place, index) => index > 0 && place <= places[index - 1]!)) refuse('its instructions are not in their order')
  return message
}

type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>

const stepIn = <Kind extends Step['kind']>(steps: readonly Step[], kind: Kind): StepOf<Kind> | undefined =>
  steps.find((step): step is StepOf<Kind> => step.kind === kind)

function isBy({ publicKey }: Sender, message: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: base64urlnopad.encode(publicKey) }, format: 'jwk' })
  return verify(null, message, key, signature)
}

function refuse(why: string): never {
  throw new TransactionRefused(why)
}

import { createHash } from 'node:crypto'
import {
  address,
  appendTransactionMessageInstruction,
  type Blockhash,
  compileTransaction,
  createTransactionMessage,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
} from '@solana/kit'
import test from 'ava'
import { type Coin, readPsbt, type Spending } from '../../adapters/chains/bitcoin/psbt.ts'
import type { CeremonyReply } from '../../domain/ceremony/messages.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { referenceTo } from '../ceremony/by-hand.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'
import { BITCOIN, bitcoinTransaction, chains, senderOf } from '../transactions.ts'
import { askToSign, PARTY, signatureRequest } from './coordinator.ts'

const PARTIES = [PARTY, 'party-2']
const paid = { to: 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu', amount: 50_000n }

let system: TestSystem

test.before(async () => {
  system = await startTestSystem({ parties: 2, chains })
})
test.after.always(() => system?.close())

async function keyOf(scheme: Scheme, rawDigests = false): Promise<ExistingKeyShare> {
  const [threshold, parties] = scheme === 'dkls23-secp256k1' ? [2, PARTIES] : [1, [PARTY]]
  return system.generateKey(await system.createWallet({ rawDigests }), { scheme, threshold, parties })
}

/** A client's wish for a signature over these bytes, which he calls a message. */
async function askForMessage(key: ExistingKeyShare, bytes: Uint8Array): Promise<CeremonyReply> {
  const payload = { kind: 'message', encoding: 'hex', data: Buffer.from(bytes).toString('hex') }
  const authorisation = system.client.authorise(signatureRequest(key, { payload }))
  if (key.scheme !== 'dkls23-secp256k1') return askToSign(system, key, { authorisation })
  const header = { scheme: key.scheme, kind: 'signing', ceremonyId: crypto.randomUUID(), attempt: 1, round: 1, to: PARTY } as const
  const task = { share: referenceTo(key), path: 'm', signers: PARTIES, authorisation, approvals: [], transaction: null }
  return system.channel.ask(header, { type: 'signTogether', task }, { timeoutMs: 20_000 })
}

const sha256 = (...parts: readonly Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const uint = (value: bigint | number, bytes: number) => {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64LE(BigInt(value))
  return buffer.subarray(0, bytes)
}
const withLength = (bytes: Uint8Array) => Buffer.concat([Uint8Array.of(bytes.length), bytes])
const outpoint = ({ txid, index }: Coin) => Buffer.concat([Buffer.from(txid, 'hex').reverse(), uint(index, 4)])
const output = ({ amount, script }: Spending['outputs'][number]) => Buffer.concat([uint(amount, 8), withLength(script)])
const [version, sequence, lockTime] = [uint(2, 4), uint(0xfffffffd, 4), uint(0, 4)]

/** BIP-341, without the last hash: for the only input, SIGHASH_DEFAULT. */
function taprootPreimage({ inputs: [coin], outputs }: Spending): Buffer {
  const tag = sha256(Buffer.from('TapSighash'))
  const { amount, script } = coin!
  const hashes = [outpoint(coin!), uint(amount, 8), withLength(script), sequence, Buffer.concat(outputs.map(output))].map((each) =>
    sha256(each),
  )
  return Buffer.concat([tag, tag, Uint8Array.of(0, 0), version, lockTime, ...hashes, Uint8Array.of(0), uint(0, 4)])
}

/** BIP-143, without the last of its two hashes: for the only input, SIGHASH_ALL. */
function segwitPreimage({ inputs: [coin], outputs }: Spending): Buffer {
  const { amount, script } = coin!
  const code = withLength(Buffer.concat([Buffer.from('76a914', 'hex'), script.subarray(2), Buffer.from('88ac', 'hex')]))
  const twice = (bytes: Uint8Array) => sha256(sha256(bytes))
  const own = [outpoint(coin!), code, uint(amount, 8), sequence]
  const last = [twice(Buffer.concat(outputs.map(output))), lockTime, uint(1, 4)]
  return sha256(version, twice(outpoint(coin!)), twice(sequence), ...own, ...last)
}

for (const [scheme, preimageOf] of [
  ['frost-secp256k1-tr', taprootPreimage],
  ['dkls23-secp256k1', segwitPreimage],
] as const) {
  test.serial(`${scheme}: a message whose SHA-256 is what a Bitcoin transaction is signed with is refused`, async (t) => {
    const key = await keyOf(scheme)
    const sender = senderOf(key, BITCOIN)
    const unsigned = bitcoinTransaction(sender, [paid])
    const preimage = preimageOf(readPsbt(unsigned))
    const codec = await chains.get(BITCOIN)!.transactions()
    t.deepEqual(Buffer.from(codec.messages(unsigned, sender)[0]!), sha256(preimage), 'the signature would be one of the transaction')
    t.like(await askForMessage(key, preimage), { type: 'refused', code: 'policy_forbids' })
    t.is(
      (await askForMessage(key, Buffer.concat([preimage, Buffer.from('.')]).reverse())).type,
      scheme === 'dkls23-secp256k1' ? 'said' : 'contributed',
    )
  })
}

/** Moves a SOL from one to the other. */
function solanaTransaction(version: 'legacy' | 0, payer: string): Uint8Array {
  const from = address(payer)
  const to = address('4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM')
  const message = pipe(
    createTransactionMessage({ version: version as 0 }),
    (empty) => setTransactionMessageFeePayer(from, empty),
    (paying) => setTransactionMessageLifetimeUsingBlockhash({ blockhash: to as string as Blockhash, lastValidBlockHeight: 5n }, paying),
    (living) =>
      appendTransactionMessageInstruction(
        {
          programAddress: address('11111111111111111111111111111111'),
          accounts: [
            { address: from, role: 3 },
            { address: to, role: 1 },
          ],
          data: Uint8Array.of(2, 0, 0, 0, 0, 0xca, 0x9a, 0x3b, 0, 0, 0, 0),
        },
        living,
      ),
  )
  return new Uint8Array(compileTransaction(message).messageBytes)
}

test.serial('frost-ed25519: a message that is a Solana transaction is refused, unless the policy allows bare digests', async (t) => {
  const solana = [...chains.keys()].find((id) => id.startsWith('solana:'))!
  for (const rawDigests of [false, true]) {
    const key = await keyOf('frost-ed25519', rawDigests)
    for (const version of ['legacy', 0] as const) {
      const reply = await askForMessage(key, solanaTransaction(version, senderOf(key, solana).address))
      if (rawDigests) t.is(reply.type, 'contributed')
      else t.like(reply, { type: 'refused', code: 'policy_forbids' })
    }
    t.is((await askForMessage(key, Buffer.from('pay nobody'))).type, 'contributed')
  }
})

import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { ed25519 } from '@noble/curves/ed25519.js'
import { base58, base64 } from '@scure/base'
import {
  AccountRole,
  type Address,
  appendTransactionMessageInstructions,
  type Blockhash,
  compileTransactionMessage,
  createTransactionMessage,
  getCompiledTransactionMessageDecoder,
  getCompiledTransactionMessageEncoder,
  getTransactionDecoder,
  type Lamports,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
} from '@solana/kit'
import { FailedTransactionMetadata, LiteSVM } from 'litesvm'
import { addressOf } from '../../adapters/chains/solana/address.ts'
import type { Step } from '../../adapters/chains/solana/instructions.ts'
import { encodeMessage } from '../../adapters/chains/solana/message.ts'
import {
  NONCE_ACCOUNT_BYTES,
  RECENT_BLOCKHASHES,
  SYSTEM,
  TOKEN,
  TOKEN_ACCOUNT_BYTES,
  tokenAccountOf,
} from '../../adapters/chains/solana/programs.ts'

/** A cluster of one: Solana's own runtime (`litesvm`) behind the JSON-RPC of a node. Slots go on when a test says so, and with each transaction. */
export type SolanaNode = {
  readonly url: string
  readonly svm: LiteSVM
  airdrop(address: string, lamports: bigint): void
  /** Somebody who has coins, and pays when told to. */
  readonly stranger: string
  /** Coins of the stranger's, in a transaction. */
  pay(to: string, lamports: bigint): void
  /** Tokens of the stranger's, in a transaction. */
  payTokens(mint: string, to: string, amount: bigint): void
  /** Opens an account for a durable nonce in the hands of the authority, and returns its address. The nonce can be used when blocks have passed. */
  openNonceAccount(authority: string): string
  /** Slots pass, each with a block. */
  advance(slots: number): void
  /** Opens a token, and gives the owner so much of it. */
  mint(mint: string, decimals: number, owner: string, amount: bigint): void
  /** With what it must hold, unless it is told. */
  setAccount(address: string, owner: string, data: Uint8Array, lamports?: bigint): void
  /** Methods asked for, in their order. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

type Mined = { readonly slot: number; readonly accounts: readonly string[]; readonly err: unknown; readonly meta: object }

/** Blocks that a transaction with a block's hash has until it must be mined. */
const LIFETIME = 150
/** Slots behind the newest that the final one is. */
const FINAL = 32
const RENT = 'SysvarRent111111111111111111111111111111111'

export async function startSolana(): Promise<SolanaNode> {
  const svm = new LiteSVM().withTransactionHistory(100_000n)
  const mined = new Map<string, Mined>()
  const asked: string[] = []
  let slot = 1_000
  let hashFrom = slot
  svm.warpToSlot(BigInt(slot))

  const advance = (slots: number) => {
    slot += slots
    svm.warpToSlot(BigInt(slot))
    if (slot - hashFrom >= LIFETIME) {
      svm.expireBlockhash()
      hashFrom = slot
    }
  }
  const account = (address: string) => svm.getAccount(address as Address)
  const lamportsOf = (address: string) => Number(svm.getBalance(address as Address) ?? 0n)
  const tokensOf = (address: string, accountIndex: number): object[] => {
    const found = account(address)
    if (!found.exists || found.programAddress !== TOKEN || found.data.length !== TOKEN_ACCOUNT_BYTES) return []
    const amount = new DataView(found.data.buffer, found.data.byteOffset).getBigUint64(64, true)
    const [mint, owner] = [found.data.subarray(0, 32), found.data.subarray(32, 64)].map((bytes) => base58.encode(Uint8Array.from(bytes)))
    return [{ accountIndex, mint, owner, programId: TOKEN, uiTokenAmount: { amount: String(amount) } }]
  }
  const context = () => ({ slot, apiVersion: '3.0.0' })
  const mineInto = (raw: Uint8Array): string => {
    const transaction = getTransactionDecoder().decode(raw)
    const message = getCompiledTransactionMessageDecoder().decode(transaction.messageBytes)
    const accounts = message.staticAccounts.map(String)
    const simulated = svm.simulateTransaction(transaction)
    if (simulated instanceof FailedTransactionMetadata)
      throw new Refusal(-32_002, 'Transaction simulation failed', { err: errorOf(simulated) })
    const held = () => ({ lamports: accounts.map(lamportsOf), tokens: accounts.flatMap(tokensOf) })
    const before = held()
    const result = svm.sendTransaction(transaction)
    const err = result instanceof FailedTransactionMetadata ? errorOf(result) : null
    const after = held()
    const signature = base58.encode(Uint8Array.from(Object.values(transaction.signatures)[0] as Uint8Array))
    const meta = {
      err,
      fee: 5_000,
      preBalances: before.lamports,
      postBalances: after.lamports,
      preTokenBalances: before.tokens,
      postTokenBalances: after.tokens,
    }
    mined.set(signature, { slot, accounts, err, meta })
    advance(1)
    return signature
  }

  const methods: { readonly [method: string]: (...params: never[]) => unknown } = {
    getGenesisHash: () => base58.encode(createHash('sha256').update('genesis').digest()),
    getSlot: () => slot,
    getLatestBlockhash: () => ({
      context: context(),
      value: { blockhash: svm.latestBlockhash(), lastValidBlockHeight: hashFrom + LIFETIME - 1 },
    }),
    getEpochInfo: () => ({ absoluteSlot: slot - FINAL, blockHeight: slot - FINAL }),
    getBalance: (address: string) => ({ context: context(), value: lamportsOf(address) }),
    getMinimumBalanceForRentExemption: (bytes: number) => Number(svm.minimumBalanceForRentExemption(BigInt(bytes))),
    getRecentPrioritizationFees: () => [],
    getAccountInfo: (address: string) => {
      const found = account(address)
      if (!found.exists) return { context: context(), value: null }
      const { programAddress: owner, lamports, data, executable } = found
      return {
        context: context(),
        value: { owner, lamports: Number(lamports), executable, data: [base64.encode(Uint8Array.from(data)), 'base64'] },
      }
    },
    getTokenAccountsByOwner: (owner: string) => {
      const ofOwner = svm
        .getProgramAccounts(TOKEN as Address)
        .filter(({ data }) => data.length === TOKEN_ACCOUNT_BYTES && base58.encode(Uint8Array.from(data.subarray(32, 64))) === owner)
      return { context: context(), value: ofOwner.map(({ address }) => ({ pubkey: address })) }
    },
    sendTransaction: (encoded: string) => mineInto(base64.decode(encoded)),
    getSignatureStatuses: ([signature]: [string]) => {
      const found = mined.get(signature)
      const confirmationStatus = found && slot - found.slot >= FINAL ? 'finalized' : 'confirmed'
      return { context: context(), value: [found ? { slot: found.slot, err: found.err, confirmationStatus } : null] }
    },
    getSignaturesForAddress: (address: string, { before, limit }: { before?: string; limit: number }) => {
      const naming = [...mined].filter(([, { accounts }]) => accounts.includes(address)).reverse()
      const from = before === undefined ? 0 : naming.findIndex(([signature]) => signature === before) + 1
      return naming.slice(from, from + limit).map(([signature, found]) => ({ signature, slot: found.slot, err: found.err }))
    },
    getTransaction: (signature: string) => {
      const found = mined.get(signature)
      return found ? { slot: found.slot, meta: found.meta, transaction: { message: { accountKeys: found.accounts } } } : null
    },
    getBlocks: (first: number, last: number) => Array.from({ length: Math.min(last, slot) - first + 1 }, (_, index) => first + index),
    getBlock: (number: number) =>
      number <= slot ? { blockhash: base58.encode(createHash('sha256').update(`slot ${number}`).digest()) } : null,
  }

  const answer = async (request: IncomingMessage): Promise<object> => {
    const { id, method, params = [] } = (await json(request)) as { id: unknown; method: string; params?: never[] }
    asked.push(method)
    try {
      if (!methods[method]) throw new Refusal(-32_601, 'Method not found', undefined)
      return { jsonrpc: '2.0', id, result: methods[method](...params) }
    } catch (error) {
      const { code, message, data } = error instanceof Refusal ? error : new Refusal(-32_603, String(error), undefined)
      return { jsonrpc: '2.0', id, error: { code, message, data } }
    }
  }
  const server = createServer((request, response) => {
    void answer(request).then((body) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))

  const stranger = randomKey()
  svm.airdrop(stranger.address as Address, 10_000_000_000_000n as Lamports)
  /** Each has a limit of its own: the same message would be mined once. */
  let units = 200_000
  const payWith = (steps: readonly Step[]) => {
    const limit: Step = { kind: 'unitLimit', units: units++ }
    const message = encodeMessage({ payer: stranger.address, lifetime: svm.latestBlockhash(), steps: [limit, ...steps] })
    mineInto(Uint8Array.of(1, ...ed25519.sign(message, stranger.secret), ...message))
  }

  const setAccount = (
    address: string,
    owner: string,
    data: Uint8Array,
    lamports: bigint = svm.minimumBalanceForRentExemption(BigInt(data.length)),
  ) =>
    svm.setAccount({
      address: address as Address,
      programAddress: owner as Address,
      data,
      space: BigInt(data.length),
      lamports: lamports as Lamports,
      executable: false,
    })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    svm,
    asked,
    advance,
    setAccount,
    stranger: stranger.address,
    pay: (to, lamports) => payWith([{ kind: 'transfer', from: stranger.address, to, lamports }]),
    payTokens(mint, to, amount) {
      const found = account(mint)
      if (!found.exists) throw new Error('there is no such token')
      const moved = { source: tokenAccountOf(stranger.address, mint), destination: tokenAccountOf(to, mint), authority: stranger.address }
      payWith([
        { kind: 'openTokenAccount', payer: stranger.address, owner: to, mint },
        { kind: 'transferTokens', ...moved, mint, amount, decimals: found.data[44]! },
      ])
    },
    openNonceAccount(authority) {
      const opened = randomKey()
      const rent = svm.minimumBalanceForRentExemption(BigInt(NONCE_ACCOUNT_BYTES))
      const message = nonceAccountMessage(stranger.address, opened.address, { authority, rent, lifetime: svm.latestBlockhash() })
      const signatures = [stranger, opened].flatMap(({ secret }) => [...ed25519.sign(message, secret)])
      mineInto(Uint8Array.of(2, ...signatures, ...message))
      return opened.address
    },
    airdrop(address, lamports) {
      svm.airdrop(address as Address, lamports as Lamports)
    },
    mint(mint, decimals, owner, amount) {
      const minted = Buffer.alloc(82)
      minted.writeBigUInt64LE(amount, 36)
      minted[44] = decimals
      minted[45] = 1
      setAccount(mint, TOKEN, minted)
      const held = Buffer.alloc(TOKEN_ACCOUNT_BYTES)
      held.set(base58.decode(mint), 0)
      held.set(base58.decode(owner), 32)
      held.writeBigUInt64LE(amount, 64)
      held[108] = 1
      setAccount(tokenAccountOf(owner, mint), TOKEN, held)
    },
    close: () => new Promise((closed) => server.close(() => closed()).closeAllConnections()),
  }
}

function randomKey(): { secret: Uint8Array; address: string } {
  const secret = ed25519.utils.randomSecretKey()
  return { secret, address: addressOf(ed25519.getPublicKey(secret)) }
}

/** Creates an account of the System program's, and makes it one of a durable nonce (`SystemInstruction` 0 and 6 of Solana's SDK). */
function nonceAccountMessage(
  payer: string,
  account: string,
  { authority, rent, lifetime }: { authority: string; rent: bigint; lifetime: string },
): Uint8Array {
  const create = Buffer.alloc(52)
  create.writeBigUInt64LE(rent, 4)
  create.writeBigUInt64LE(BigInt(NONCE_ACCOUNT_BYTES), 12)
  create.set(base58.decode(SYSTEM), 20)
  const initialize = Buffer.alloc(36)
  initialize.writeUInt32LE(6, 0)
  initialize.set(base58.decode(authority), 4)
  const accountOf = (address: string, role: AccountRole) => ({ address: address as Address, role })
  const message = pipe(
    createTransactionMessage({ version: 'legacy' }),
    (empty) => setTransactionMessageFeePayer(payer as Address, empty),
    (paid) => setTransactionMessageLifetimeUsingBlockhash({ blockhash: lifetime as Blockhash, lastValidBlockHeight: 0n }, paid),
    (lasting) =>
      appendTransactionMessageInstructions(
        [
          {
            programAddress: SYSTEM as Address,
            accounts: [accountOf(payer, AccountRole.WRITABLE_SIGNER), accountOf(account, AccountRole.WRITABLE_SIGNER)],
            data: Uint8Array.from(create),
          },
          {
            programAddress: SYSTEM as Address,
            accounts: [
              accountOf(account, AccountRole.WRITABLE),
              accountOf(RECENT_BLOCKHASHES, AccountRole.READONLY),
              accountOf(RENT, AccountRole.READONLY),
            ],
            data: Uint8Array.from(initialize),
          },
        ],
        lasting,
      ),
  )
  return Uint8Array.from(getCompiledTransactionMessageEncoder().encode(compileTransactionMessage(message)))
}

class Refusal extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data: unknown,
  ) {
    super(message)
  }
}

/** As nodes say it: a name, or a name and what it holds. The runtime says it in the words of Rust alone. */
function errorOf(failed: FailedTransactionMetadata): unknown {
  const said = String(failed)
  const instruction = /err: InstructionError\((\d+), (\w+)(?:\((\d+)\))?\)/.exec(said)
  if (!instruction) return /err: (\w+)/.exec(said)?.[1] ?? 'Unknown'
  const [, index, name, number] = instruction
  return { InstructionError: [Number(index), number === undefined ? name : { [name as string]: Number(number) }] }
}

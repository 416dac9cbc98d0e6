import { randomInt } from 'node:crypto'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { base58 } from '@scure/base'
import type { Chain } from '../../../domain/ports/chain.ts'
import {
  type BuildOptions,
  ChainFailure,
  type ChainFailureCode,
  type ChainNode,
  type UnsignedTransaction,
  type WantedTransaction,
} from '../../../domain/ports/chain-node.ts'
import type { Sender } from '../../../domain/ports/transaction-codec.ts'
import { decimalsOf, nonceIn, sourceOf } from './accounts.ts'
import type { Cluster } from './cluster.ts'
import { priceAbove, priceAt } from './fee-prices.ts'
import { feeOf, highestPrice } from './fees.ts'
import { MAX_MEMO_BYTES, type Step } from './instructions.ts'
import { decodeMessage, encodeMessage } from './message.ts'
import { nonceConflict } from './nonce-conflict.ts'
import { isOnCurve, SYSTEM, tokenAccountOf } from './programs.ts'
import { encodeValidity, type Validity } from './validity.ts'

export type BuilderOptions = {
  readonly chain: Pick<Chain, 'id' | 'nativeAsset' | 'feeCeiling'>
  readonly cluster: Cluster
  /** Accounts of durable nonces, by the address in whose hands they are. */
  readonly nonceAccounts: NonceAccounts
}

export type NonceAccounts = { readonly [address: string]: readonly string[] }

/** Steps, and the compute units that they use at most. */
type Plan = { readonly steps: readonly Step[]; readonly units: number }
type Nonce = { readonly step: Step & { kind: 'advanceNonce' }; readonly value: string }

const COIN_UNITS = 1_000
const TOKEN_UNITS = 80_000
const MEMO_UNITS = 60_000
/**
 * Two transfers of as much to the same address would be one transaction, and pay once, if they were made with the same block's hash. So each has a limit of
 * its own, by chance, up to so many units above what it needs; a durable nonce tells them apart, and there a higher price is to be a higher fee.
 */
const SPARE_UNITS = 4_096
const NOTHING: Plan = { steps: [], units: COIN_UNITS }

/** How transactions are made for what is wanted. */
export function builderOf({ chain, cluster, nonceAccounts }: BuilderOptions): Pick<ChainNode, 'quote' | 'build'> {
  async function planOf(wanted: WantedTransaction): Promise<Plan> {
    const { sender, asset, to, amount, memo } = wanted
    const receiver = await cluster.account(to, 'confirmed')
    if (receiver ? receiver.isProgram || receiver.owner !== SYSTEM : !isOnCurve(base58.decode(to)))
      throw refusal(
        'address_kind_not_supported',
        receiver
          ? 'the address is that of a program, or of an account that belongs to one'
          : 'nobody has a key to the address, and no program keeps anything there',
      )
    if (memo !== null && utf8ToBytes(memo).length > MAX_MEMO_BYTES)
      throw refusal('memo_not_supported', `a memo has up to ${MAX_MEMO_BYTES} bytes of UTF-8`)
    const said: readonly Step[] = memo === null ? [] : [{ kind: 'memo', text: memo }]
    const units = memo === null ? 0 : MEMO_UNITS
    if (asset === chain.nativeAsset) {
      const least = await cluster.rentOf(0)
      if (!receiver && amount < least) throw refusal('dust', `an address that holds nothing must be sent ${least} lamports at least`)
      return { steps: [...said, { kind: 'transfer', from: sender.address, to, lamports: amount }], units: units + COIN_UNITS }
    }
    const mint = asset.slice(`${chain.id}/token:`.length)
    const [decimals, source] = await Promise.all([decimalsOf(cluster, mint), sourceOf(cluster, sender.address, mint)])
    const opened: Step = { kind: 'openTokenAccount', payer: sender.address, owner: to, mint }
    const moved = { source, mint, destination: tokenAccountOf(to, mint), authority: sender.address, amount, decimals }
    return { steps: [...said, opened, { kind: 'transferTokens', ...moved }], units: units + TOKEN_UNITS }
  }

  /** With what is offered at the level that is wanted, or as much of it as the most that it may cost leaves; but no less than `least`. */
  async function priced(
    { sender, fee, maxFee }: WantedTransaction,
    { steps, units }: Plan,
    { nonce, least = 0n, spare = nonce ? 0 : randomInt(SPARE_UNITS) }: { nonce?: Nonce | undefined; least?: bigint; spare?: number },
  ): Promise<readonly Step[]> {
    const first = nonce ? [nonce.step] : []
    const needed = units + COIN_UNITS * first.length
    const highest = highestPrice([...first, ...steps], needed + SPARE_UNITS, maxFee ?? chain.feeCeiling)
    if (highest === undefined || highest < least) throw refusal('fee_too_high', 'it would cost more than it may')
    const wished = priceAt(fee, await cluster.recentPrices([sender.address]))
    const price = wished < least ? least : wished > highest ? highest : wished
    const limit: Step = { kind: 'unitLimit', units: needed + spare }
    return [...first, limit, ...(price > 0n ? [{ kind: 'unitPrice', price } as const] : []), ...steps]
  }

  /** An account holds nothing, or its rent: the cluster takes no transaction that would leave it less. */
  async function requireRent({ sender, asset, amount }: WantedTransaction, steps: readonly Step[]): Promise<void> {
    if (asset !== chain.nativeAsset) return
    const [{ amount: held }, least] = await Promise.all([cluster.balance(sender.address), cluster.rentOf(0)])
    const rest = held - amount - feeOf(steps)
    if (rest > 0n && rest < least)
      throw refusal('insufficient_funds', `${rest} lamports would be left to the sender, who must keep ${least} at least, or none`)
  }

  async function inPlaceOf(
    wanted: WantedTransaction,
    { unsigned, as }: NonNullable<BuildOptions['replaces']>,
  ): Promise<UnsignedTransaction> {
    const { steps, lifetime: value } = decodeMessage(unsigned)
    const step = steps.find((each) => each.kind === 'advanceNonce')
    if (!step) throw refusal('not_replaceable', 'the transaction has no durable nonce: it can only be waited for')
    if ((await nonceIn(cluster, step.account, wanted.sender.address, 'confirmed')) !== value)
      throw refusal('not_replaceable', 'the durable nonce of the transaction is used already')
    const least = priceAbove(steps.find((each) => each.kind === 'unitPrice')?.price ?? 0n)
    const nonce = { step, value }
    const plan = as === 'cancellation' ? NOTHING : await planOf(wanted)
    return lasting(wanted, await priced(wanted, plan, { nonce, least }), nonce)
  }

  const accountsOf = (authority: string): readonly string[] => (Object.hasOwn(nonceAccounts, authority) ? nonceAccounts[authority]! : [])

  /** The first of the sender's that no other transaction uses; undefined when there is none. */
  async function freeNonce({ address: authority }: Sender, taken: readonly string[]): Promise<Nonce | undefined> {
    for (const account of accountsOf(authority)) {
      const value = await nonceIn(cluster, account, authority, 'confirmed')
      if (value !== undefined && !taken.includes(nonceConflict(account, value)))
        return { step: { kind: 'advanceNonce', account, authority }, value }
    }
    return undefined
  }

  return {
    async quote(wanted) {
      const nonce = await freeNonce(wanted.sender, [])
      const steps = await priced(wanted, await planOf(wanted), { nonce, spare: SPARE_UNITS })
      await requireRent(wanted, steps)
      return { fee: feeOf(steps) }
    },

    async build(wanted, { taken, replaces }) {
      if (replaces) return inPlaceOf(wanted, replaces)
      const nonce = await freeNonce(wanted.sender, taken)
      const steps = await priced(wanted, await planOf(wanted), { nonce })
      await requireRent(wanted, steps)
      if (nonce) return lasting(wanted, steps, nonce)
      const { hash, lastHeight } = await cluster.latestBlockhash()
      return unsignedOf(wanted, steps, hash, { lastHeight })
    },
  }
}

const lasting = (wanted: WantedTransaction, steps: readonly Step[], { step, value }: Nonce): UnsignedTransaction =>
  unsignedOf(wanted, steps, value, { nonceAccount: step.account, nonce: value })

const unsignedOf = ({ sender }: WantedTransaction, steps: readonly Step[], lifetime: string, validity: Validity): UnsignedTransaction => ({
  unsigned: encodeMessage({ payer: sender.address, lifetime, steps }),
  validity: encodeValidity(validity),
})

const refusal = (code: ChainFailureCode, why: string) => new ChainFailure(code, why, true)

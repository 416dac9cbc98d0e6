import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { DomainError } from '../../../domain/domain-error.ts'
import { type BuildOptions, ChainFailure, type ChainFailureCode } from '../../../domain/ports/chain-node.ts'
import { type Effect, TransactionRefused } from '../../../domain/ports/transaction-codec.ts'
import { sessionIdOf } from '../../../domain/signing-session/session-id.ts'
import type { TransferCommand } from '../../../domain/wallet/transfers/commands.ts'
import type { Purpose } from '../../../domain/wallet/transfers/events.ts'
import { conflictsOf, latestOf, type Transfer } from '../../../domain/wallet/transfers/transfer.ts'
import { wallet } from '../../../domain/wallet/wallet.ts'
import { cancelSignatures } from './gather-signatures.ts'
import { bytesOf, type PayerTurn, senderOf, wantedOf } from './payer-turn.ts'

/** Most transactions of a payer that are not in a block: nodes keep some 64 of one sender, and few in a row that spend each other's change. */
const IN_FLIGHT = { counted: 48, chained: 20 }
/** Made in one turn, so that those before are sent in time. */
const AT_ONCE = 16
/** Of one transfer; after those it is dropped. */
const MAX_VERSIONS = 8

/** What the chain says that another try will not change. */
const FINAL: readonly ChainFailureCode[] = [
  'dust',
  'address_kind_not_supported',
  'memo_not_supported',
  'account_closed',
  'asset_unknown',
  'fee_too_high',
  'reverted',
  'not_replaceable',
  'transaction_rejected',
  'inputs_missing',
]

type Build = Extract<TransferCommand, { type: 'BuildTransfer' }>
/** Why it cannot be built, for good. */
type Impossible = { code: string }

/** Builds what is approved and whose time has come, in the order in which it was asked for; then what is to take the place of what was built. */
export async function buildTransactions(turn: PayerTurn): Promise<void> {
  const { book, chain } = turn
  if (book.wallet().status === 'frozen') return
  const now = Date.now()
  const ready = book.transfers().filter((transfer) => isReady(transfer, now))
  const room = (chain.hasNonces ? IN_FLIGHT.counted : IN_FLIGHT.chained) - book.transfers().filter(isInFlight).length
  const next = ready.slice(0, Math.max(0, Math.min(room, AT_ONCE)))
  if (next.length > 0) await (chain.hasNonces ? buildCounted(turn, next) : buildOneByOne(turn, next))
  for (const transfer of book.transfers()) if (transfer.replacement && !transfer.mined) await replace(turn, transfer)
}

/**
 * Makes another transaction in the place of the latest, whose time has passed: it can never be mined. As many times as is reasonable.
 * @returns why there can be none
 */
export async function buildAnew(turn: PayerTurn, transfer: Transfer): Promise<string | undefined> {
  if (transfer.transactions.length >= MAX_VERSIONS) return 'expired'
  const build = await make(turn, transfer, { nonce: nonceOf(transfer), taken: takenFrom(turn, transfer), replaces: null })
  if ('code' in build) return build.code
  try {
    await turn.book.carryOut(transfer.transferId, [build])
    return undefined
  } catch (error) {
    return refusalIn(error).code
  }
}

const isReady = ({ status, requires: { notBefore } }: Transfer, now: number) =>
  (status === 'submitted' || status === 'queued') && (notBefore === null || Date.parse(notBefore) <= now)

const isInFlight = (transfer: Transfer) => latestOf(transfer) !== undefined && transfer.mined === null

const nonceOf = ({ nonce }: Transfer) => (nonce === null ? null : BigInt(nonce))

/**
 * With the nonces that they will get: each is given out together with the transaction that uses it, so that none is given out for nothing. When one cannot be
 * built those behind it would leave a gap, and are built in the next turn.
 */
async function buildCounted(turn: PayerTurn, transfers: readonly Transfer[]): Promise<void> {
  const { book, node } = turn
  const observed = await node.nextNonce(transfers[0]!.address)
  if (observed === null) throw new Error(`${node.chain} does not tell the next nonce`)
  const now = new Date().toISOString()
  const allocate = ({ transferId }: Transfer): TransferCommand => ({ type: 'AllocateNonce', transferId, observed: String(observed), now })
  let expected = book.wallet()
  const builds: { transfer: Transfer; made: Promise<Build | Impossible> }[] = []
  for (const transfer of transfers) {
    const events = wallet.decide(expected, allocate(transfer))
    const next = events.reduce(wallet.evolve, expected as typeof wallet.initial)
    const counted = next.status === 'absent' ? undefined : next.transfers[transfer.transferId]
    // The policy has changed since it was judged: that is noted first.
    if (next.status === 'absent' || !counted || counted.nonce === null) {
      await settled(builds)
      await book.carryOut(transfer.transferId, [allocate(transfer)])
      return
    }
    expected = next
    const made = make(turn, counted, { nonce: BigInt(counted.nonce), taken: [], replaces: null })
    // It is looked at in its turn.
    made.catch(() => {})
    builds.push({ transfer, made })
  }
  for (const { transfer, made } of builds) {
    const build = await made.catch(async (error: unknown) => {
      await settled(builds)
      throw error
    })
    const isWrittenDown = 'code' in build ? await fail(turn, transfer, build) : await writeDown(turn, transfer, [allocate(transfer), build])
    if ('code' in build || !isWrittenDown) return settled(builds)
  }
}

const settled = async (builds: readonly { made: Promise<unknown> }[]): Promise<void> => {
  await Promise.allSettled(builds.map(({ made }) => made))
}

/** Each uses up nothing that those before it do. */
async function buildOneByOne(turn: PayerTurn, transfers: readonly Transfer[]): Promise<void> {
  for (const transfer of transfers) await buildFor(turn, transfer, { nonce: null, taken: takenFrom(turn, transfer), replaces: null })
}

const takenFrom = ({ book }: PayerTurn, { transferId }: Transfer): string[] =>
  book
    .transfers()
    .filter((other) => other.transferId !== transferId)
    .flatMap(conflictsOf)

async function buildFor(turn: PayerTurn, transfer: Transfer, options: BuildOptions): Promise<void> {
  const build = await make(turn, transfer, options)
  if ('code' in build) await fail(turn, transfer, build)
  else await writeDown(turn, transfer, [build])
}

async function replace(turn: PayerTurn, transfer: Transfer): Promise<void> {
  const { book } = turn
  const { transferId, replacement } = transfer
  const latest = latestOf(transfer)
  if (!replacement || !latest) return
  const replaces = { unsigned: bytesOf(latest.unsigned), as: replacement.as, validity: latest.validity }
  const build = await make(turn, transfer, { nonce: nonceOf(transfer), taken: takenFrom(turn, transfer), replaces })
  const giveUp = ({ code }: Impossible) => book.carryOut(transferId, [{ type: 'FailReplacement', transferId, code }])
  if ('code' in build) await giveUp(build)
  else if (await writeDown(turn, transfer, [build]).catch((error: unknown) => giveUp(refusalIn(error)).then(() => false)))
    if (latest.raw === null) await cancelSignatures(turn, transfer, latest)
}

/**
 * The transaction, as it is written down.
 * @returns why there can be none
 * @throws ChainFailure when there may be one later
 */
async function make(turn: PayerTurn, transfer: Transfer, options: BuildOptions): Promise<Build | Impossible> {
  const { node, codec, book } = turn
  const { transferId } = transfer
  const latest = latestOf(transfer)
  const version = (latest?.version ?? 0) + 1
  const as: Purpose = options.replaces?.as ?? 'transfer'
  try {
    const { psbt } = transfer
    const made = psbt === undefined || options.replaces ? null : (codec.fromPsbt?.(bytesOf(psbt)) ?? null)
    const { unsigned, validity } = await node.build({ ...wantedOf(transfer), made }, options)
    const sender = senderOf(transfer)
    const effect = codec.read(unsigned, sender)
    if (!isWanted(transfer, as, effect)) return { code: 'transaction_refused' }
    const messages = codec.messages(unsigned, sender)
    return {
      type: 'BuildTransfer',
      transferId,
      now: new Date().toISOString(),
      as,
      unsigned: Buffer.from(unsigned).toString('base64'),
      hashOfUnsigned: bytesToHex(sha256(unsigned)),
      fee: String(effect.fee),
      conflicts: effect.conflicts,
      validity,
      sessionIds: messages.map((_, index) => sessionIdOf(transferId, version, index)),
      replaces: latest?.version ?? null,
    }
  } catch (error) {
    if (error instanceof TransactionRefused) return { code: error.code }
    if (!(error instanceof ChainFailure)) throw error
    // What others of the payer use may come back to it as change.
    const isAlone = !book.transfers().some((other) => other.transferId !== transferId && isInFlight(other))
    if (FINAL.includes(error.code) || (error.code === 'insufficient_funds' && isAlone)) return { code: error.code }
    throw error
  }
}

/** Parties compare more than this, and for themselves; they need not be asked for what is wrong already. */
function isWanted({ asset, to, amount, publicMemo }: Transfer, as: Purpose, effect: Effect): boolean {
  if (as === 'cancellation') return effect.kind === 'cancellation'
  return (
    effect.kind === 'transfer' &&
    effect.asset === asset &&
    effect.to === to &&
    effect.amount === BigInt(amount) &&
    effect.memo === (publicMemo ?? null)
  )
}

/** @throws DomainError when it costs more than there is, and another transaction stands already */
async function writeDown(turn: PayerTurn, transfer: Transfer, commands: readonly TransferCommand[]): Promise<boolean> {
  try {
    return await turn.book.carryOut(transfer.transferId, commands)
  } catch (error) {
    if (latestOf(transfer)) throw error
    return fail(turn, transfer, refusalIn(error))
  }
}

/** @throws what is no refusal */
function refusalIn(error: unknown): Impossible {
  if (!(error instanceof DomainError)) throw error
  return { code: error.code }
}

/** Nothing has been built, or nothing that is used up: what was reserved is given back. */
async function fail({ book }: PayerTurn, { transferId }: Transfer, { code }: Impossible): Promise<boolean> {
  return book.carryOut(transferId, [{ type: 'FailTransfer', transferId, code, rule: null }])
}

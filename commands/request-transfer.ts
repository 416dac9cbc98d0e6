import { IsIn, IsOptional, IsString, Matches, MaxLength } from 'class-validator'
import { JSONSchema } from 'class-validator-jsonschema'
import { FEE_LEVELS, type FeeLevel } from '../domain/ports/chain-node.ts'
import { transferAssignment } from '../domain/transfer/assignment.ts'
import { transferStream } from '../domain/transfer/events.ts'
import { walletStream } from '../domain/wallet/events.ts'
import { judged, requirementsOf } from '../domain/wallet/transfers/judgement.ts'
import { transferIdOf } from '../domain/wallet/transfers/transfer-id.ts'
import {
  MAX_ADDRESS_CHARACTERS,
  MAX_ASSET_CHARACTERS,
  MAX_CHAIN_CHARACTERS,
  MAX_MEMO_CHARACTERS,
  MAX_PSBT_CHARACTERS,
  readWantedTransfer,
} from '../domain/wallet/transfers/wanted-transfer.ts'
import { type ExistingWallet, requireOpenWallet, type WalletCommand, wallet } from '../domain/wallet/wallet.ts'
import { type Answer, type RouteRequest, route } from '../http/route.ts'
import { absent } from './aggregate.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { requireIntent } from './intents.ts'
import { type AggregateLog, load } from './load.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { authorisationOf, contextOf } from './request-context.ts'
import { findWallet } from './tenancy.ts'
import { termsOf } from './transfer-terms.ts'

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/
/** Longer than any amount; those are looked at by what they are. */
const MAX_NUMBER_CHARACTERS = 1_000

export class RequestTransferBody {
  @IsString() @MaxLength(MAX_CHAIN_CHARACTERS) @JSONSchema({ description: 'CAIP-2.' }) chain!: string
  @IsString() @MaxLength(MAX_ASSET_CHARACTERS) @JSONSchema({ description: 'CAIP-19.' }) asset!: string
  @IsString() @MaxLength(MAX_ADDRESS_CHARACTERS) to!: string
  @IsString() @MaxLength(MAX_NUMBER_CHARACTERS) @JSONSchema({ description: 'Base units, a decimal string.' }) amount!: string
  @IsOptional() @IsIn(FEE_LEVELS) fee?: FeeLevel

  @IsOptional()
  @IsString()
  @MaxLength(MAX_MEMO_CHARACTERS)
  @JSONSchema({ description: 'A note that stays with the transfer, sealed, and does not leave Quorate.' })
  memo?: string

  @IsOptional()
  @IsString()
  @MaxLength(MAX_MEMO_CHARACTERS)
  @JSONSchema({ description: 'What is written on the chain with it, for everybody and for ever, where the chain can.' })
  publicMemo?: string

  @IsOptional()
  @Matches(UUID, { message: 'accountId must be a UUID in lower case' })
  @JSONSchema({ format: 'uuid', description: 'Which account pays; not needed when only one has the asset.' })
  accountId?: string

  @IsOptional()
  @IsString()
  @MaxLength(MAX_NUMBER_CHARACTERS)
  @JSONSchema({ description: 'The most that it may cost, in base units of the native coin.' })
  maxFee?: string

  @IsOptional()
  @IsString()
  @MaxLength(MAX_PSBT_CHARACTERS)
  @JSONSchema({ description: 'The transaction itself, where another wallet has made it: a PSBT (BIP-174), base64.' })
  psbt?: string
}

const text = { type: 'string' }
const uuid = { type: 'string', format: 'uuid' }
const FINDING = {
  type: 'object',
  required: ['rule', 'outcome', 'because', 'numbers'],
  properties: {
    rule: text,
    outcome: { type: 'string', enum: ['passed', 'denied', 'required'] },
    because: text,
    numbers: { type: 'object', additionalProperties: { type: ['string', 'integer', 'null'] } },
  },
}
const DRY_RUN = {
  title: 'DryRun',
  type: 'object',
  required: ['decision', 'requires', 'accountId', 'from', 'quotedFee', 'feeAsset', 'usdCents'],
  properties: {
    decision: {
      type: 'object',
      required: ['outcome', 'findings'],
      properties: { outcome: { type: 'string', enum: ['allowed', 'denied'] }, findings: { type: 'array', items: FINDING } },
    },
    requires: {
      type: 'object',
      required: ['approvals', 'signers', 'notBefore'],
      properties: {
        approvals: {
          type: ['object', 'null'],
          properties: { required: { type: 'integer' }, approvers: { type: 'array', items: text } },
        },
        signers: { type: 'integer' },
        notBefore: { type: ['string', 'null'], format: 'date-time' },
      },
    },
    accountId: uuid,
    from: text,
    quotedFee: { ...text, description: 'The most that it would cost, in base units of `feeAsset`.' },
    feeAsset: text,
    usdCents: { type: ['string', 'null'], description: 'What it is worth; null when nobody knows.' },
  },
}

type Request = RouteRequest<'/v1/wallets/:walletId/transfers', RequestTransferBody>

export const requestTransfer = (dependencies: CommandDependencies) => {
  const { log, verify } = dependencies
  // Many ask one wallet at the same time: they had better wait for each other here than get in each other's way in the log.
  const turn = oneAtATime()
  return route({
    method: 'POST',
    path: '/v1/wallets/:walletId/transfers',
    tag: 'transfers',
    summary: 'Ask for a transfer',
    description:
      'With `dryRun=true` nothing is done and no intent is needed: the answer is what the policy would decide, and what it would cost.',
    roles: ['client'],
    intent: true,
    body: RequestTransferBody,
    query: { dryRun: { description: 'Whether only to say what would be decided.', schema: { type: 'string', enum: ['true', 'false'] } } },
    answers: {
      200: { description: 'What would be decided', schema: DRY_RUN },
      202: {
        description: 'The transfer has begun',
        schema: { type: 'object', required: ['transferId'], properties: { transferId: uuid } },
      },
    },
    async handle(request) {
      const { walletId } = request.params
      const owner = await findWallet(log, walletId, request.principal)
      if (request.query.dryRun === 'true') return dryRun(request, owner, dependencies)
      const intent = requireIntent(request, owner, verify)
      const transferId = transferIdOf(walletId, intent)
      const aggregate = { decider: wallet, stream: walletStream(walletId) }
      const context = contextOf(request, owner.tenant)
      const { commands } = await load(log, aggregate)
      const command = commands.has(context.commandId) ? undefined : await commandOf(request, owner, transferId, dependencies)
      const done = await turn(walletId, () =>
        execute(log, aggregate, () => command ?? commandOf(request, owner, transferId, dependencies), context),
      )
      const { revision } = done.commands.get(context.commandId)!
      const accepted = await transferAt(log, aggregate.stream, revision)
      return { status: 202, body: { transferId: accepted }, location: `/v1/transfers/${accepted}`, position: done.position }
    },
  })
}

/** What is asked for; by then it is known which wallet its id leads to, and nothing has spoken against it. */
async function commandOf(
  request: Request,
  owner: ExistingWallet,
  transferId: string,
  dependencies: CommandDependencies,
): Promise<WalletCommand> {
  requireOpenWallet(owner)
  const authorisation = authorisationOf(request)
  const terms = await termsOf(readWantedTransfer(authorisation.body), owner, dependencies, request.signal)
  const command: WalletCommand = { type: 'RequestTransfer', transferId, ...terms, now: new Date().toISOString(), authorisation }
  wallet.decide(owner, command)
  const { walletId, tenant } = owner
  await execute(
    dependencies.log,
    { decider: transferAssignment, stream: transferStream(transferId) },
    () => ({ type: 'AssignTransfer', transferId, walletId, tenant }),
    { ...contextOf(request, tenant), commandId: transferId },
    absent(transferAssignment),
  )
  return command
}

/** The transfer that a command has asked for whose last event this is: not the one of this request's intent when an earlier one was answered. */
async function transferAt(log: AggregateLog, stream: string, revision: bigint): Promise<string> {
  for await (const { data } of log.readStream(stream, { from: revision, limit: 1 })) return (data as { transferId: string }).transferId
  throw new Error(`event ${revision} of ${stream} is gone`)
}

async function dryRun(request: Request, owner: ExistingWallet, dependencies: CommandDependencies): Promise<Answer> {
  requireOpenWallet(owner)
  const authorisation = authorisationOf(request)
  const terms = await termsOf(readWantedTransfer(authorisation.body), owner, dependencies, request.signal)
  const now = new Date()
  const decision = judged(owner, terms, now.getTime())
  if (decision.outcome === 'allowed')
    wallet.decide(owner, { type: 'RequestTransfer', transferId: request.commandId, ...terms, now: now.toISOString(), authorisation })
  const { accountId, address: from, quotedFee, feeAsset, usdCents } = terms
  const { outcome, findings } = decision
  const requires = requirementsOf(decision, now.getTime())
  return { status: 200, body: { decision: { outcome, findings }, requires, accountId, from, quotedFee, feeAsset, usdCents } }
}

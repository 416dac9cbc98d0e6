import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator'
import { type VerifyJws, verifyIntent } from '../domain/authorisation/intent.ts'
import { AuthorisationRefused } from '../domain/authorisation/refused.ts'
import { DomainError } from '../domain/domain-error.ts'
import type { Authorisation } from '../domain/key-share/events.ts'
import { FEE_LEVELS, type FeeLevel } from '../domain/ports/chain-node.ts'
import { walletStream } from '../domain/wallet/events.ts'
import { requireTransfer } from '../domain/wallet/transfers/holdings.ts'
import { readWantedAcceleration } from '../domain/wallet/transfers/wanted-transfer.ts'
import { type ExistingWallet, type WalletCommand, wallet } from '../domain/wallet/wallet.ts'
import { route } from '../http/route.ts'
import { requireNode } from './chain-answers.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { requireIntent } from './intents.ts'
import { inClear } from './personal-data.ts'
import { authorisationOf, contextOf } from './request-context.ts'
import { findTransfer, findWallet } from './tenancy.ts'

export class AccelerateTransferBody {
  @IsIn(FEE_LEVELS) fee!: FeeLevel
  @IsOptional() @IsString() @MaxLength(1_000) maxFee?: string
}

export const accelerateTransfer = ({ log, verify, nodes }: Pick<CommandDependencies, 'log' | 'verify' | 'nodes'>) =>
  route({
    method: 'POST',
    path: '/v1/transfers/:transferId/accelerate',
    tag: 'transfers',
    summary: 'Have the same transfer mined sooner, at a higher fee',
    roles: ['client'],
    intent: true,
    body: AccelerateTransferBody,
    answers: { 202: { description: 'A transaction with a higher fee has been asked for' } },
    async handle(request) {
      const { transferId } = request.params
      const { walletId, tenant } = await findTransfer(log, transferId, request.principal)
      requireIntent(request, await findWallet(log, walletId, request.principal), verify)
      const authorisation = authorisationOf(request)
      const { fee, maxFee } = readWantedAcceleration(authorisation.body)
      const { position } = await execute(
        log,
        { decider: wallet, stream: walletStream(walletId) },
        async (): Promise<WalletCommand> => {
          const owner = await findWallet(log, walletId, request.principal)
          const { chain, authorisation: asked } = requireTransfer(owner, transferId)
          requireNode(nodes, chain)
          requireWordOf(owner, await inClear(log, walletId, 'authorisation', asked), verify)
          const by = request.principal.sub
          return { type: 'AccelerateTransfer', transferId, fee, maxFee: maxFee === null ? null : String(maxFee), by, authorisation }
        },
        contextOf(request, tenant),
      )
      return { status: 202, body: { transferId }, location: `/v1/transfers/${transferId}`, position }
    },
  })

/**
 * Parties sign the amount again at the word that it was asked for with, which has to count still.
 * @throws DomainError `request_of_replaced_key`
 */
function requireWordOf({ clientKeys }: ExistingWallet, asked: Authorisation, verify: VerifyJws): void {
  try {
    verifyIntent(asked, { keys: clientKeys, verify, now: Date.now(), maxAgeSeconds: Number.POSITIVE_INFINITY })
  } catch (error) {
    if (!(error instanceof AuthorisationRefused)) throw error
    throw new DomainError(
      'request_of_replaced_key',
      'the key that asked for the transfer is no client key any more: cancel it, and ask again',
    )
  }
}

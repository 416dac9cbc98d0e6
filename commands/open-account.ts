import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { IsOptional, IsString, Matches, MaxLength } from 'class-validator'
import { JSONSchema } from 'class-validator-jsonschema'
import { type Account, type AccountCommand, account, requireAccount } from '../domain/account/account.ts'
import { accountIdOf } from '../domain/account/account-id.ts'
import { accountStream } from '../domain/account/events.ts'
import { DomainError } from '../domain/domain-error.ts'
import { type ExistingKeyShare, requireActiveKey } from '../domain/key-share/key-share.ts'
import type { Chain, Chains } from '../domain/ports/chain.ts'
import { readPath } from '../domain/signing-session/payload.ts'
import { parsePath } from '../domain/threshold/derivation-path.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { requireOpenWallet } from '../domain/wallet/wallet.ts'
import { answeredOnce } from '../http/answered-once.ts'
import { type Principal, route } from '../http/route.ts'
import { absent } from './aggregate.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import type { AggregateLog } from './load.ts'
import { contextOf } from './request-context.ts'
import { findKey, findWallet } from './tenancy.ts'

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/
const uuid = { type: 'string', format: 'uuid' }
const text = { type: 'string' }

export class OpenAccountBody {
  @Matches(UUID, { message: 'keyId must be a UUID in lower case' }) @JSONSchema({ format: 'uuid' }) keyId!: string
  @IsString() @MaxLength(41) @JSONSchema({ description: 'CAIP-2.' }) chain!: string
  @IsOptional() @IsString() @MaxLength(200) @Matches(/^m(\/\d{1,10})*$/) path?: string
}

const OPENED = {
  title: 'OpenedAccount',
  type: 'object',
  required: ['accountId', 'walletId', 'keyId', 'scheme', 'chain', 'path', 'publicKey', 'address'],
  properties: {
    accountId: uuid,
    walletId: uuid,
    keyId: uuid,
    scheme: text,
    chain: text,
    path: text,
    publicKey: { ...text, description: 'Of the key at the path, hex.' },
    address: text,
  },
}

export const openAccount = ({ log, chains }: CommandDependencies) => {
  // Accounts are told apart by what is asked for, not by the command: that a key is used for two requests shows nowhere else.
  const once = answeredOnce()
  return route({
    method: 'POST',
    path: '/v1/wallets/:walletId/accounts',
    tag: 'accounts',
    summary: 'Open an account: the address of a key on a chain',
    description: 'There is one for each key, chain and path; opening it again answers it again.',
    roles: ['client'],
    body: OpenAccountBody,
    answers: {
      200: { description: 'The account was open already', schema: OPENED },
      201: { description: 'The account was opened', schema: OPENED },
    },
    handle: (request) =>
      once(request, async () => {
        const { walletId } = request.params
        const { keyId, path = 'm' } = request.body
        const owner = await findWallet(log, walletId, request.principal)
        const key = await findKeyOf(walletId, log, keyId, request.principal)
        const chain = requireChain(chains, request.body.chain)
        const accountId = accountIdOf({ walletId, keyId, chain: chain.id, path })
        const { state, commands, position } = await execute(
          log,
          { decider: account, stream: accountStream(accountId) },
          (): AccountCommand => {
            const { tenant } = requireOpenWallet(owner)
            return { type: 'OpenAccount', accountId, walletId, tenant, ...addressAt(chain, key, path) }
          },
          contextOf(request, owner.tenant),
          absent(account),
        )
        const status = commands.has(request.commandId) ? 201 : 200
        return { status, body: opened(state), location: `/v1/accounts/${accountId}`, position }
      }),
  })
}

/** @throws DomainError `key_not_found` */
async function findKeyOf(walletId: string, log: AggregateLog, keyId: string, principal: Principal): Promise<ExistingKeyShare> {
  const key = await findKey(log, keyId, principal)
  if (key.walletId !== walletId) throw new DomainError('key_not_found', 'the wallet has no such key', '/keyId')
  return key
}

/** @throws DomainError `unknown_chain` */
function requireChain(chains: Chains, id: string): Chain {
  const chain = chains.get(id)
  if (!chain) throw new DomainError('unknown_chain', 'GET /v1/chains lists those that there are', '/chain')
  return chain
}

/** @throws DomainError `key_not_active`, `scheme_not_supported_by_chain`, `path_invalid` */
function addressAt(chain: Chain, key: ExistingKeyShare, wanted: string) {
  const { keyId, scheme, publicPackage } = requireActiveKey(key)
  if (!chain.schemes.includes(scheme))
    throw new DomainError(
      'scheme_not_supported_by_chain',
      `${chain.name} takes ${chain.schemes.join(', ')}, and this key is for ${scheme}`,
      '/keyId',
    )
  const path = readPath(wanted)
  const { publicKey } = protocolOf(scheme).derive(hexToBytes(publicPackage), parsePath(path))
  return { keyId, scheme, chain: chain.id, path, publicKey: bytesToHex(publicKey), address: chain.addressOf(scheme, publicKey) }
}

/** What is told of an account. */
function opened(state: Account) {
  const { status: _, tenant: __, ...told } = requireAccount(state)
  return told
}

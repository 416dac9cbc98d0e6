import { createHash } from 'node:crypto'
import { bytesToHex } from '@noble/hashes/utils.js'
import { IsIn, IsInt, IsOptional, isInt, isString, Matches, ValidateBy } from 'class-validator'
import { JSONSchema } from 'class-validator-jsonschema'
import { encodePolicy, type KeyPolicy, policyDigest } from '../domain/authorisation/key-policy.ts'
import { DomainError } from '../domain/domain-error.ts'
import { keyShareStream } from '../domain/key-share/events.ts'
import { type KeyShareCommand, keyShare } from '../domain/key-share/key-share.ts'
import type { PartyDirectory } from '../domain/ports/party-directory.ts'
import { MAX_PARTIES, SCHEMES, type Scheme } from '../domain/threshold/scheme.ts'
import { keyPolicyOf } from '../domain/wallet/policy.ts'
import { requireOpenWallet } from '../domain/wallet/wallet.ts'
import { Problem } from '../http/problem.ts'
import { route } from '../http/route.ts'
import { absent } from './aggregate.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { requireIntent } from './intents.ts'
import { authorisationOf, contextOf } from './request-context.ts'
import { findWallet } from './tenancy.ts'

const IsPartyCountOrIds = () =>
  ValidateBy({
    name: 'isPartyCountOrIds',
    validator: {
      validate: (value) => isInt(value) || (Array.isArray(value) && value.length <= 100 && value.every(isString)),
      defaultMessage: () => 'parties must be a number of parties or a list of party ids',
    },
  })

export class GenerateKeyBody {
  @IsIn(SCHEMES) scheme!: Scheme
  @IsInt() threshold!: number

  @IsPartyCountOrIds()
  @JSONSchema({
    oneOf: [
      { type: 'integer', minimum: 1, maximum: MAX_PARTIES },
      { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: MAX_PARTIES, uniqueItems: true },
    ],
  })
  parties!: number | string[]

  @IsOptional()
  @Matches(/^[0-9a-f]{64}$/)
  @JSONSchema({ description: 'SHA-256 of the policy, in its one encoding: under any other the parties make no key.' })
  policyDigest?: string
}

export const generateKey = ({ log, parties, verify }: CommandDependencies) =>
  route({
    method: 'POST',
    path: '/v1/wallets/:walletId/keys',
    tag: 'keys',
    summary: 'Generate a key shared by several parties',
    description: 'Any `threshold` of the `parties` can sign; nobody ever holds the whole private key.',
    roles: ['client'],
    intent: true,
    body: GenerateKeyBody,
    answers: {
      202: {
        description: 'Key generation has begun; the key is ready when its status is `active`',
        schema: { type: 'object', required: ['keyId'], properties: { keyId: { type: 'string', format: 'uuid' } } },
      },
    },
    async handle(request) {
      const { walletId } = request.params
      const found = await findWallet(log, walletId, request.principal)
      requireIntent(request, found, verify)
      const { scheme, threshold } = request.body
      const keyId = request.commandId
      const { position } = await execute(
        log,
        { decider: keyShare, stream: keyShareStream(keyId) },
        (): KeyShareCommand => {
          const { tenant } = requireOpenWallet(found)
          const policy = keyPolicyOf(found)
          requireSamePolicy(policy, request.body)
          const holders = chooseParties(parties, request.body.parties, keyId)
          return {
            type: 'RequestKeyGeneration',
            keyId,
            walletId,
            tenant,
            scheme,
            threshold,
            parties: holders,
            authorisation: authorisationOf(request),
            policy,
          }
        },
        contextOf(request, found.tenant),
        absent(keyShare),
      )
      return { status: 202, body: { keyId }, location: `/v1/keys/${keyId}`, position }
    },
  })

/** Refuses early what the parties would refuse. @throws Problem `request_mismatch` */
function requireSamePolicy(policy: KeyPolicy, { policyDigest: wanted }: GenerateKeyBody): void {
  if (wanted === undefined || wanted === bytesToHex(policyDigest(encodePolicy(policy)))) return
  const detail = 'the policy of the wallet is another one'
  throw new Problem('request_mismatch', detail, { errors: [{ pointer: '/policyDigest', code: 'request_mismatch', detail }] })
}

/** The parties named, or that many of those that are up, spread evenly over keys. */
function chooseParties(directory: PartyDirectory, wanted: number | string[], keyId: string): string[] {
  if (Array.isArray(wanted)) {
    const stranger = wanted.findIndex((id) => !directory.ids.includes(id))
    if (stranger >= 0) throw new DomainError('parties_invalid', 'there is no such party', `/parties/${stranger}`)
    return wanted
  }
  if (wanted < 1 || wanted > Math.min(MAX_PARTIES, directory.ids.length))
    throw new DomainError('parties_invalid', `parties must be between 1 and ${Math.min(MAX_PARTIES, directory.ids.length)}`, '/parties')
  const rank = new Map(directory.ids.map((id) => [id, rankOf(keyId, id) + (directory.isUp(id) ? 0 : 1)]))
  return directory.ids
    .toSorted((a, b) => rank.get(a)! - rank.get(b)!)
    .slice(0, wanted)
    .toSorted()
}

/** Rendezvous hashing: a number in [0, 1) for this key and party. */
function rankOf(keyId: string, partyId: string): number {
  return createHash('sha256').update(`${keyId}/${partyId}`).digest().readUInt32BE(0) / 2 ** 32
}

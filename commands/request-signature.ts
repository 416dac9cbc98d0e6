import 'reflect-metadata'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { Type } from 'class-transformer'
import {
  IsDefined,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator'
import { JSONSchema } from 'class-validator-jsonschema'
import { requireActiveKey } from '../domain/key-share/key-share.ts'
import { PRIORITIES, type Priority, signingSessionStream } from '../domain/signing-session/events.ts'
import { MAX_DATA_CHARACTERS, messageToSign, readWantedSignature } from '../domain/signing-session/payload.ts'
import { type SigningSessionCommand, signingSession } from '../domain/signing-session/signing-session.ts'
import { parsePath } from '../domain/threshold/derivation-path.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { requireOpenWallet } from '../domain/wallet/wallet.ts'
import { route } from '../http/route.ts'
import { absent } from './aggregate.ts'
import type { CommandDependencies } from './dependencies.ts'
import { execute } from './execute.ts'
import { requireIntent } from './intents.ts'
import { queueAdmission } from './queue-admission.ts'
import { authorisationOf, contextOf } from './request-context.ts'
import { findKey, findWallet } from './tenancy.ts'
import { TYPED_DATA_SCHEMA } from './typed-data-schema.ts'

const KINDS = ['message', 'digest', 'eip191', 'eip712'] as const

/** How long a session may take; one that waits for people gets a day. */
const SESSION_SECONDS = 60
const APPROVAL_SECONDS = 24 * 60 * 60

const IsPayloadData = () =>
  ValidateBy({
    name: 'isPayloadData',
    validator: {
      validate: (value, options) => isPayloadData(options?.object as PayloadBody, value),
      defaultMessage: (options) =>
        (options?.object as PayloadBody | undefined)?.kind === 'digest'
          ? 'data must be 64 hexadecimal digits'
          : 'data must be a string; with encoding hex, an even number of hexadecimal digits',
    },
  })

export class PayloadBody {
  @JSONSchema({ description: '`eip191` and `eip712` need an ECDSA key, `digest` a policy that allows bare digests.' })
  @IsIn(KINDS)
  kind!: (typeof KINDS)[number]

  @ValidateIf(({ kind }: PayloadBody) => kind === 'message' || kind === 'eip191')
  @IsIn(['utf8', 'hex'])
  encoding?: 'utf8' | 'hex'

  @ValidateIf(({ kind }: PayloadBody) => kind !== 'eip712')
  @IsString()
  @MaxLength(MAX_DATA_CHARACTERS)
  @IsPayloadData()
  data?: string

  @ValidateIf(({ kind }: PayloadBody) => kind === 'eip712')
  @IsObject()
  @JSONSchema(TYPED_DATA_SCHEMA)
  typedData?: object
}

export class RequestSignatureBody {
  @IsDefined() @IsObject() @ValidateNested() @Type(() => PayloadBody) payload!: PayloadBody
  @IsOptional() @IsString() @MaxLength(200) @Matches(/^m(\/\d{1,10})*$/) path?: string
  @IsOptional() @IsIn(PRIORITIES) priority?: Priority
}

export const requestSignature = ({ log, coordinators, verify }: CommandDependencies) => {
  const queue = queueAdmission(coordinators)
  return route({
    method: 'POST',
    path: '/v1/keys/:keyId/signatures',
    tag: 'signing',
    summary: 'Ask for a signature',
    roles: ['client'],
    intent: true,
    body: RequestSignatureBody,
    answers: {
      202: {
        description: 'The signing session has begun',
        schema: { type: 'object', required: ['sessionId'], properties: { sessionId: { type: 'string', format: 'uuid' } } },
      },
    },
    async handle(request) {
      const { keyId } = request.params
      const found = await findKey(log, keyId, request.principal)
      const owner = await findWallet(log, found.walletId, request.principal)
      requireIntent(request, owner, verify)
      const sessionId = request.commandId
      const { position } = await execute(
        log,
        { decider: signingSession, stream: signingSessionStream(sessionId) },
        (): SigningSessionCommand => {
          const { walletId, tenant, scheme, publicPackage } = requireActiveKey(found)
          queue.requireRoom()
          const { policy } = requireOpenWallet(owner)
          const authorisation = authorisationOf(request)
          const { payload, path } = readWantedSignature(authorisation.body)
          const protocol = protocolOf(scheme)
          return {
            type: 'RequestSignature',
            sessionId,
            keyId,
            walletId,
            tenant,
            scheme,
            payload,
            path,
            publicKey: bytesToHex(protocol.derive(hexToBytes(publicPackage), parsePath(path)).publicKey),
            message: bytesToHex(messageToSign(payload, policy, protocol)),
            deadline: new Date(Date.now() + (policy.approvals ? APPROVAL_SECONDS : SESSION_SECONDS) * 1000).toISOString(),
            approvals: policy.approvals
              ? { required: policy.approvals.required, approvers: policy.approvals.approvers.map(({ kid }) => kid) }
              : null,
            authorisation,
            ...(request.body.priority && { priority: request.body.priority }),
          }
        },
        contextOf(request, found.tenant),
        absent(signingSession),
      )
      queue.accepted()
      return { status: 202, body: { sessionId }, location: `/v1/signing-sessions/${sessionId}`, position }
    },
  })
}

function isPayloadData({ kind, encoding }: PayloadBody, value: unknown): boolean {
  if (typeof value !== 'string') return false
  if (kind === 'digest') return /^[0-9a-f]{64}$/i.test(value)
  return encoding !== 'hex' || /^([0-9a-f]{2})*$/i.test(value)
}

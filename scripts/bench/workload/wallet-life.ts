import { createHash } from 'node:crypto'
import type { ClientKey } from '../../../domain/authorisation/client-key.ts'
import { versionToWrite } from '../../../domain/event-catalogue.ts'
import { type Authorisation, type KeyShareEvent, keyShareStream } from '../../../domain/key-share/events.ts'
import type { ExpectedRevision, NewEvent } from '../../../domain/ports/event-log.ts'
import { type SigningSessionEvent, signingSessionStream } from '../../../domain/signing-session/events.ts'
import type { Scheme } from '../../../domain/threshold/scheme.ts'
import { type WalletEvent, walletStream } from '../../../domain/wallet/events.ts'
import { keyPolicyOf, type WalletPolicy } from '../../../domain/wallet/policy.ts'
import type { Fate } from './fate.ts'

/** Events that one command appends. */
export type Step = { stream: string; expected: ExpectedRevision; events: readonly NewEvent[] }

type DomainEvent = WalletEvent | KeyShareEvent | SigningSessionEvent
type Key = { keyId: string; scheme: Scheme; parties: readonly string[] }
type Appender = (stream: string, actor: string, events: readonly DomainEvent[]) => Step

const SCHEMES: readonly Scheme[] = ['frost-ed25519', 'frost-secp256k1-tr']
const PARTIES = ['party-1', 'party-2', 'party-3', 'party-4', 'party-5']
const TENANTS = 50
const SESSIONS = 40
/** One wallet in so many wants approvals, loses a key, is frozen for a while; one session in so many needs two attempts, fails, or expires. */
const RARELY = { approvals: 4, revoked: 10, frozen: 20, secondAttempt: 15, failed: 25, expired: 40 }
const INTENT_TTL_SECONDS = 120

/**
 * All that ever happens to a wallet: two keys of two of three, forty signing sessions, a change of policy. Commands, events, metadata and sizes are those of
 * the real thing; keys, digests and signatures are noise.
 */
export function* walletLife(index: number, fate: Fate): Generator<Step> {
  const walletId = fate.uuid()
  const tenant = `tenant-${index % TENANTS}`
  const client = publicKey(fate)
  const approvals =
    index % RARELY.approvals === 0 ? { required: 1, approvers: [publicKey(fate), publicKey(fate), publicKey(fate)] } : undefined
  const policy: WalletPolicy = { rawDigests: false, ...(approvals && { approvals }) }
  const append = appender(fate, tenant)
  const wallet = walletStream(walletId)

  yield append(wallet, 'client', [
    { type: 'WalletCreated', data: { walletId, tenant, name: `wallet ${index}`, clientKeys: [client], policy } },
  ])
  const keys: Key[] = []
  for (const scheme of SCHEMES) keys.push(yield* keyGeneration(fate, append, client, walletId, tenant, scheme, policy))
  for (let session = 0; session < SESSIONS; session++) {
    yield* signing(fate, append, client, walletId, tenant, keys[session % keys.length] as Key, session, approvals)
    if (session !== SESSIONS / 2) continue
    const authorisation = authorise(fate, client, `/v1/wallets/${walletId}/policy`, { policy })
    const intents = policy.approvals
      ? [intentOf(authorise(fate, policy.approvals.approvers[0] as ClientKey, authorisation.path, { policy }))]
      : []
    yield append(wallet, 'client', [{ type: 'PolicyChanged', data: { walletId, policy, version: 2, authorisation, approvals: intents } }])
  }
  if (index % RARELY.frozen === 0) {
    yield append(wallet, 'operator', [{ type: 'WalletFrozen', data: { walletId, reason: 'reported as stolen' } }])
    yield append(wallet, 'operator', [{ type: 'WalletUnfrozen', data: { walletId, reason: 'found again' } }])
  }
  if (index % RARELY.revoked === 0) {
    const { keyId } = keys[0] as Key
    const authorisation = authorise(fate, client, `/v1/keys/${keyId}/revoke`, { reason: 'rotated' })
    yield append(keyShareStream(keyId), 'client', [{ type: 'KeyRevoked', data: { keyId, walletId, reason: 'rotated', authorisation } }])
  }
}

function* keyGeneration(
  fate: Fate,
  append: Appender,
  client: ClientKey,
  walletId: string,
  tenant: string,
  scheme: Scheme,
  policy: WalletPolicy,
): Generator<Step, Key> {
  const keyId = fate.uuid()
  const identity = { keyId, walletId }
  const parties = PARTIES.slice(0, 3)
  const stream = keyShareStream(keyId)
  const publicKey = fate.hex(32)
  const packageDigest = fate.hex(32)
  const authorisation = authorise(fate, client, `/v1/wallets/${walletId}/keys`, { scheme, threshold: 2, parties: 3 })
  const requested = {
    ...identity,
    tenant,
    scheme,
    threshold: 2,
    parties,
    authorisation,
    policy: keyPolicyOf({ walletId, clientKeys: [client], policy, policyVersion: 1 }),
  }
  yield append(stream, 'client', [{ type: 'KeyGenerationRequested', data: requested }])
  yield append(stream, 'key-generation', [{ type: 'KeyGenerationStarted', data: { ...identity, attempt: 1 } }])
  yield append(
    stream,
    'key-generation',
    parties.map((partyId) => ({ type: 'CommitmentReceived', data: { ...identity, attempt: 1, partyId, digest: fate.hex(32) } })),
  )
  yield append(stream, 'key-generation', [
    ...parties.map((partyId) => ({ type: 'ShareGenerated', data: { ...identity, attempt: 1, partyId, packageDigest } }) as const),
    { type: 'KeyGenerationCompleted', data: { ...identity, attempt: 1, publicKey, publicPackage: fate.hex(136), epoch: 1 } },
  ])
  yield append(walletStream(walletId), 'key-attachment', [{ type: 'KeyAttached', data: { ...identity, scheme, publicKey } }])
  return { keyId, scheme, parties }
}

function* signing(
  fate: Fate,
  append: Appender,
  client: ClientKey,
  walletId: string,
  tenant: string,
  { keyId, scheme, parties }: Key,
  index: number,
  approvals: WalletPolicy['approvals'],
): Generator<Step> {
  const sessionId = fate.uuid()
  const identity = { sessionId, keyId, walletId }
  const stream = signingSessionStream(sessionId)
  const text = `pay ${index}.50 to ${fate.hex(20)}`
  const payload = { kind: 'message', encoding: 'utf8', data: text } as const
  const message = Buffer.from(text).toString('hex')
  const deadline = new Date(fate.now() + 60_000).toISOString()
  const authorisation = authorise(fate, client, `/v1/keys/${keyId}/signatures`, { payload })
  const requested = {
    ...identity,
    tenant,
    scheme,
    payload,
    message,
    deadline,
    approvals: approvals ? { required: approvals.required, approvers: approvals.approvers.map(({ kid }) => kid) } : null,
    authorisation,
  }
  yield append(stream, 'client', [{ type: 'SigningRequested', data: requested }])
  if (approvals) {
    const approver = approvals.approvers[0] as ClientKey
    const approval = authorise(fate, approver, `/v1/signing-sessions/${sessionId}/approvals`, { decision: 'approve' })
    const data = { ...identity, approver: approver.kid, status: 'requested' as const, authorisation: approval }
    yield append(stream, 'approver', [{ type: 'ApprovalGranted', data }])
  }
  if (index % RARELY.expired === RARELY.expired - 1) {
    yield append(stream, 'signing', [{ type: 'SigningExpired', data: { ...identity, deadline } }])
    return
  }
  const [first, second, third] = parties as [string, string, string]
  const started = (attempt: number, signers: readonly string[], culprits: readonly string[]): readonly SigningSessionEvent[] => [
    {
      type: 'SigningStarted',
      data: { ...identity, attempt, signers, previous: culprits.length > 0 ? { code: 'party_unavailable', culprits } : null },
    },
    { type: 'RoundCompleted', data: { ...identity, attempt, round: 1, rounds: 2 } },
  ]
  yield append(stream, 'signing', started(1, [first, second], []))
  if (index % RARELY.failed === RARELY.failed - 1) {
    yield append(stream, 'signing', [
      { type: 'SigningFailed', data: { ...identity, code: 'quorum_unavailable', culprits: [second, third] } },
    ])
    return
  }
  const again = index % RARELY.secondAttempt === RARELY.secondAttempt - 1
  if (again) yield append(stream, 'signing', started(2, [first, third], [second]))
  const attempt = again ? 2 : 1
  yield append(stream, 'signing', [
    { type: 'RoundCompleted', data: { ...identity, attempt, round: 2, rounds: 2 } },
    {
      type: 'SignatureProduced',
      data: { ...identity, attempt, signature: fate.hex(64), signers: again ? [first, third] : [first, second] },
    },
  ])
}

/** Steps of one wallet's streams, each at the revision that the steps before it have left the stream at. */
function appender(fate: Fate, tenant: string): Appender {
  const revisions = new Map<string, bigint>()
  const correlations = new Map<string, string>()
  return (stream, actor, events) => {
    const revision = revisions.get(stream)
    revisions.set(stream, (revision ?? -1n) + BigInt(events.length))
    const commandId = fate.uuid()
    const correlationId = correlations.get(stream) ?? fate.uuid()
    correlations.set(stream, correlationId)
    const metadata = {
      commandId,
      correlationId,
      causationId: actor === 'client' ? commandId : fate.uuid(),
      actor,
      tenant,
      occurredAt: new Date(fate.now()).toISOString(),
      ...(actor === 'client' && { requestDigest: fate.hex(32) }),
    }
    return {
      stream,
      expected: revision ?? 'no_stream',
      events: events.map((event) => ({
        id: fate.uuid(),
        ...event,
        metadata: { ...metadata, schemaVersion: versionToWrite(stream, event.type) },
      })),
    }
  }
}

/** An intent as clients sign it, but for the signature. */
function authorise(fate: Fate, { kid }: ClientKey, path: string, body: object): Authorisation {
  const text = JSON.stringify(body)
  const iat = Math.floor(fate.now() / 1000)
  const bodyDigest = createHash('sha256').update(text).digest('base64url')
  const claims = { jti: fate.uuid(), iat, exp: iat + INTENT_TTL_SECONDS, htm: 'POST', htu: path, bodyDigest }
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const intent = `${part({ typ: 'intent+jwt', alg: 'EdDSA', kid })}.${part(claims)}.${fate.bytes(64).toString('base64url')}`
  return { method: 'POST', path, body: text, intent }
}

const publicKey = (fate: Fate): ClientKey => ({ kid: fate.uuid(), kty: 'OKP', crv: 'Ed25519', x: fate.bytes(32).toString('base64url') })

const intentOf = ({ intent }: Authorisation) => intent ?? ''

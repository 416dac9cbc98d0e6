/** A small Quorate in one process: real parties, broker, event store and processes; each party can be killed, frozen, or made to lie. */
import { randomBytes, randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { startEmbeddedNats } from '../../adapters/embedded/nats/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { hpkeSealing } from '../../adapters/hpke/sealing.ts'
import { verifyJws } from '../../adapters/jws/verify-jws.ts'
import { ledgerFileIn } from '../../adapters/ledger/ledger-file.ts'
import { openSigningLedger } from '../../adapters/ledger/signing-ledger.ts'
import { openWitnessStore } from '../../adapters/ledger/witness-store.ts'
import { connectMessages } from '../../adapters/nats/messages.ts'
import { startNatsServer } from '../../adapters/nats/nats-server.ts'
import { connectPartyChannel, partyEndpoint } from '../../adapters/nats/party-channel.ts'
import { watchParties } from '../../adapters/nats/party-directory.ts'
import type { Aggregate, DomainEvent } from '../../commands/aggregate.ts'
import { type CommandContext, execute } from '../../commands/execute.ts'
import { load } from '../../commands/load.ts'
import { runConsumer } from '../../commands/processes/consumer.ts'
import { runExpiry } from '../../commands/processes/expiry.ts'
import { inSequence } from '../../commands/processes/in-sequence.ts'
import { keyAttachmentProcess } from '../../commands/processes/key-attachment.ts'
import { keyGenerationProcess } from '../../commands/processes/key-generation.ts'
import { keyRefreshProcess } from '../../commands/processes/key-refresh.ts'
import { keyRefreshCompletionProcess } from '../../commands/processes/key-refresh-completion.ts'
import { keyRevocationProcess } from '../../commands/processes/key-revocation.ts'
import { policyChangeProcess } from '../../commands/processes/policy-change.ts'
import { presignaturesProcess, recordPresignatures } from '../../commands/processes/presignatures.ts'
import type { Process } from '../../commands/processes/process.ts'
import { publishProgress } from '../../commands/processes/progress.ts'
import { shareRecoveryProcess } from '../../commands/processes/share-recovery.ts'
import { quorumsOf } from '../../commands/processes/signer-choice.ts'
import { signingProcess } from '../../commands/processes/signing.ts'
import { signingQueue } from '../../commands/processes/signing-queue.ts'
import { createPartyStanding, type KeptStanding } from '../../commands/processes/standing/party-standing.ts'
import { keepStock, type StockKeeping } from '../../commands/processes/stock-keeping.ts'
import { approvalPath, verifyPolicyChange } from '../../domain/authorisation/approvals.ts'
import { intentId } from '../../domain/authorisation/intent.ts'
import type { PresignatureTier } from '../../domain/authorisation/key-policy.ts'
import { createSigner, type TestSigner } from '../../domain/authorisation/testing/signer.ts'
import type { CeremonyReply } from '../../domain/ceremony/messages.ts'
import { type Authorisation, type KeyShareEvent, keyShareStream } from '../../domain/key-share/events.ts'
import { type ExistingKeyShare, type KeyShareCommand, keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import type { Chains } from '../../domain/ports/chain.ts'
import type { EventLog, RecordedEvent } from '../../domain/ports/event-log.ts'
import type { Messages } from '../../domain/ports/messages.ts'
import type { Asked, PartyChannel, PartyEndpoint } from '../../domain/ports/party-channel.ts'
import type { Prices } from '../../domain/ports/prices.ts'
import type { Sealing } from '../../domain/ports/sealing.ts'
import type { Vault } from '../../domain/ports/vault.ts'
import { type SigningSessionEvent, signingSessionStream } from '../../domain/signing-session/events.ts'
import {
  type ExistingSession,
  isTerminal,
  requireSession,
  type SigningSessionCommand,
  signingSession,
} from '../../domain/signing-session/signing-session.ts'
import type { RandomBytes } from '../../domain/threshold/protocol.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { walletStream } from '../../domain/wallet/events.ts'
import { DEFAULT_POLICY, keyPolicyOf, type WalletPolicy } from '../../domain/wallet/policy.ts'
import { requireWallet, type WalletCommand, wallet } from '../../domain/wallet/wallet.ts'
import { raiseFence } from '../../parties/fence.ts'
import { announceHealth } from '../../parties/health.ts'
import type { NonceCounts } from '../../parties/nonce-pool.ts'
import { type Party, serveParty } from '../../parties/service.ts'
import { openShareStore } from '../../parties/share-store.ts'
import { refusedClaims } from '../../parties/sign-once.ts'
import { bearWitness } from '../../parties/witness.ts'
import { enrolTestParties, type TestIdentities } from './identities.ts'

export type Broker = { url: string; close(): Promise<void> }

/** Undefined when `nats-server` is not installed. */
export const realBroker = (): Promise<Broker | undefined> => startNatsServer({ port: 0 })
export const embeddedBroker = (): Promise<Broker> => startEmbeddedNats({ port: 0 })

/** Is shown every secret before it is sealed, for somebody or for the disk, and all randomness that parties draw. */
export type OnSecret = (secret: Uint8Array, origin: 'kept' | 'told' | 'drawn') => void

export type TestParty = {
  readonly id: string
  readonly dir: string
  /** Loses all that it has in memory, and its connection. */
  kill(): Promise<void>
  revive(): Promise<void>
  /** Takes messages but answers none, until thawed; `silent` ones do not report their health either. */
  freeze(options?: { silent: boolean }): void
  thaw(): void
  /** What the party's answers become on their way out, now or later; undefined for honesty. */
  lie: ((reply: CeremonyReply, asked: Asked) => CeremonyReply | Promise<CeremonyReply>) | undefined
  /** What the party tells others in private instead of what it should; undefined for honesty. */
  whisper: ((secret: Uint8Array) => Uint8Array) | undefined
  /** What the party is asked instead of what was sent; undefined for an honest carrier. */
  mishear: ((asked: Asked) => Asked) | undefined
  nonceCounts(keyId: string): NonceCounts
  /** What happens after the party has made its contribution to a signature, and before its ledger records it. */
  beforeClaim: (() => Promise<unknown>) | undefined
  /** Whether the party dies at this point of its work, before it has begun or before its answer has left; it is back a moment later. */
  diesAt: ((asked: Asked, point: 'asked' | 'worked') => boolean) | undefined
  /** Resolves when the party lives, if it has died. */
  lives(): Promise<unknown>
}

export type TestSystem = {
  log: EventLog
  channel: PartyChannel
  messages: Messages
  identities: TestIdentities
  standing: KeptStanding
  isUp(partyId: string): boolean
  brokerUrl: string
  dir: string
  parties: readonly TestParty[]
  party(id: string): TestParty
  /** A request of the client's, signed by it. */
  authorise(path: string, body: object): Authorisation
  /** Whose key all wallets know. */
  client: TestSigner
  createWallet(policy?: WalletPolicy): Promise<string>
  requestKey(walletId: string, options: KeyOptions): Promise<string>
  generateKey(walletId: string, options: KeyOptions): Promise<ExistingKeyShare>
  requestSignature(key: ExistingKeyShare, message: Uint8Array, options?: SessionOptions): Promise<string>
  /** An approver's decision. */
  approve(sessionId: string, approver: TestSigner): Promise<unknown>
  /** The client's wish for another policy, with the approvals of these. */
  changePolicy(walletId: string, policy: WalletPolicy, approvers?: readonly TestSigner[]): Promise<unknown>
  /** Decides a command on a session. */
  command(sessionId: string, command: SigningSessionCommand): Promise<unknown>
  freeze(walletId: string): Promise<void>
  /** A signing process of another coordinator, which takes no part in the work unless called. */
  anotherCoordinator(): Process
  /** The session once it is over. */
  outcome(sessionId: string): Promise<ExistingSession>
  sign(key: ExistingKeyShare, message: Uint8Array): Promise<ExistingSession>
  revoke(keyId: string): Promise<void>
  /** The key once the refresh is over, one way or the other. */
  refresh(keyId: string): Promise<ExistingKeyShare>
  /** The key once the recovery is over, one way or the other. */
  recover(keyId: string, partyId: string): Promise<ExistingKeyShare>
  events(stream: string): Promise<RecordedEvent[]>
  /** The stock of the coordinator that is at work. */
  presignatures: StockKeeping
  /** Resolves when the stock holds so many openings of each holder of the key, or of a quorum where signers open together. */
  stocked(key: ExistingKeyShare, count: number): Promise<void>
  /** What went wrong in the processes, as far as they reported it. */
  failures: unknown[]
  close(): Promise<void>
}

export type KeyOptions = { scheme: Scheme; threshold: number; parties: readonly string[] }

export type SessionOptions = {
  seconds?: number
  /** Commands that take effect together with the request. */
  andThen?: readonly SigningSessionCommand[]
}

/** Long, for machines that are busy with something else. */
const OUTCOME_WITHIN_MS = 90_000

export async function startTestSystem({
  parties: count,
  broker,
  presignatures: tier = 0,
  presignatureTtlMs = 60_000,
  chains = new Map(),
  prices = { usdCents: () => undefined },
  onSecret = () => {},
  brokerUrlOf = () => undefined,
}: {
  parties: number
  broker?: Broker
  /** The tier of keys whose wallet says nothing of it. */
  presignatures?: PresignatureTier
  presignatureTtlMs?: number
  /** Whose transactions the parties read, and by what they tell what assets are worth. */
  chains?: Chains
  prices?: Prices
  /** Where a party connects to, when it is not the broker itself. */
  brokerUrlOf?: (partyId: string, brokerUrl: string) => string | undefined
  onSecret?: OnSecret
}): Promise<TestSystem> {
  const dir = await mkdtemp(join(tmpdir(), 'quorate-ceremony-'))
  const nats = broker ?? (await embeddedBroker())
  const store = await startEmbeddedEventStore({ port: 0, dataDir: join(dir, 'eventstore') })
  const log = connectEventLog({ url: store.url })
  const messages = await connectMessages({ url: nats.url, name: 'coordinator' })
  const ids = Array.from({ length: count }, (_, index) => `party-${index + 1}`)
  const identities = await enrolTestParties(dir, ids)
  const channel = connectPartyChannel(messages, { ...identities.witness, identity: identities.coordinator })
  const parties: TestParty[] = []
  const failures: unknown[] = []
  for (const id of ids) {
    const brokerUrl = brokerUrlOf(id, nats.url) ?? nats.url
    parties.push(
      await startTestParty({ id, dir: join(dir, id), brokerUrl, failures, onSecret, identities, presignatureTtlMs, chains, prices }),
    )
  }

  const directory = watchParties(messages, ids)
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const progress = publishProgress(messages)
  const standing = createPartyStanding({ parties: ids, isUp: directory.isUp })
  const onFailure = (error: unknown) => failures.push(error)
  const requests = { channel, standing, witness: identities.witness }
  const stockKept = () =>
    keepStock({ ...requests, record: recordPresignatures(log), onFailure, timing: { recordEveryMs: 0, everyMs: 100 } })
  const coordinator = (presignatures: StockKeeping) => signingProcess({ log, ...requests, directory, presignatures, progress })
  const presignatures = stockKept()
  const others: StockKeeping[] = []
  const anotherCoordinator = () => {
    const own = stockKept()
    others.push(own)
    return coordinator(own)
  }
  const expiring = runExpiry({ log, signal: stop.signal, onFailure: (error) => failures.push(error) })
  const processes = [
    { ...coordinator(presignatures), waiting: signingQueue(10_000) },
    presignaturesProcess({ log, presignatures }),
    keyGenerationProcess({ log, channel, progress }),
    keyAttachmentProcess({ log }),
    keyRevocationProcess({ log, channel }),
    keyRefreshProcess({ log, channel, progress }),
    keyRefreshCompletionProcess({ log, channel }),
    shareRecoveryProcess({ log, channel, standing, progress }),
    policyChangeProcess({ log, channel }),
  ].map((process) => runConsumer(process, { log, signal: stop.signal, onFailure: (_, error) => failures.push(error) }))

  const client = createSigner('client')
  const authorise = (path: string, body: object, signer = client) => signer.authorise(post(path, body))

  const outcome = (sessionId: string) =>
    waitFor(log, { decider: signingSession, stream: signingSessionStream(sessionId) }, (state) => {
      const session = requireSession(state)
      return isTerminal(session) ? session : undefined
    })

  const requestSignature: TestSystem['requestSignature'] = async (key, message, { seconds = 60, ...options } = {}) => {
    const sessionId = randomUUID()
    const { keyId, walletId, tenant, scheme, policy } = key
    const payload = { kind: 'message', encoding: 'hex', data: Buffer.from(message).toString('hex') } as const
    const request: SigningSessionCommand = {
      type: 'RequestSignature',
      sessionId,
      keyId,
      walletId,
      tenant,
      scheme,
      payload,
      message: Buffer.from(protocolOf(scheme).message(message)).toString('hex'),
      deadline: new Date(Date.now() + seconds * 1000).toISOString(),
      approvals: policy.approvals && { ...policy.approvals, approvers: policy.approvals.approvers.map(({ kid }) => kid) },
      authorisation: authorise(`/v1/keys/${keyId}/signatures`, { payload }),
    }
    const aggregate = { decider: inSequence(signingSession), stream: signingSessionStream(sessionId) }
    await execute(log, aggregate, () => [request, ...(options.andThen ?? [])], context())
    return sessionId
  }

  const requestKey: TestSystem['requestKey'] = async (walletId, options) => {
    const keyId = randomUUID()
    const owner = await load(log, { decider: wallet, stream: walletStream(walletId) })
    const command = {
      type: 'RequestKeyGeneration',
      keyId,
      walletId,
      tenant: 'test',
      ...options,
      authorisation: authorise(`/v1/wallets/${walletId}/keys`, options),
      policy: keyPolicyOf(requireWallet(owner.state)),
    } as const
    await execute(log, { decider: keyShare, stream: keyShareStream(keyId) }, (): KeyShareCommand => command, context())
    return keyId
  }

  const command: TestSystem['command'] = (sessionId, command) =>
    execute(log, { decider: signingSession, stream: signingSessionStream(sessionId) }, () => command, context())

  return {
    log,
    channel,
    messages,
    identities,
    standing,
    isUp: directory.isUp,
    brokerUrl: nats.url,
    dir,
    parties,
    presignatures,
    async stocked(key, count) {
      const { stock } = presignatures
      const isStocked =
        protocolOf(key.scheme).signing.openedBy === 'each'
          ? () => key.parties.every((id) => stock.held(key, [id]) === count)
          : () => [...quorumsOf(key.parties, key.threshold)].some((signers) => stock.held(key, signers) === count)
      for await (const _ of setInterval(5, undefined, { signal: AbortSignal.timeout(OUTCOME_WITHIN_MS) })) if (isStocked()) return
    },
    failures,
    authorise,
    party: (id) => parties.find((party) => party.id === id)!,
    client,
    async createWallet(policy = { ...DEFAULT_POLICY, presignatures: tier }) {
      const walletId = randomUUID()
      await execute(
        log,
        { decider: wallet, stream: walletStream(walletId) },
        (): WalletCommand => ({ type: 'CreateWallet', walletId, tenant: 'test', name: 'test', clientKeys: [client.key], policy }),
        context(),
      )
      return walletId
    },
    requestKey,
    async generateKey(walletId, options) {
      const keyId = await requestKey(walletId, options)
      return waitFor(log, { decider: keyShare, stream: keyShareStream(keyId) }, (state) => {
        const key = requireKey(state)
        return key.status === 'pending' || key.status === 'generating' ? undefined : key
      })
    },
    requestSignature,
    anotherCoordinator,
    command,
    async approve(sessionId, approver) {
      const { state } = await load(log, { decider: signingSession, stream: signingSessionStream(sessionId) })
      return command(sessionId, {
        type: 'DecideApproval',
        approver: approver.kid,
        decision: 'approve',
        authorisation: authorise(approvalPath(sessionId), { decision: 'approve' }, approver),
        approvals: requireSession(state).approvals!,
        lapsed: [],
        now: new Date().toISOString(),
      })
    },
    async changePolicy(walletId, policy, approvers = []) {
      const request = post(`/v1/wallets/${walletId}/policy`, { policy })
      const approvals = approvers.map((approver) => approver.authorise(request).intent!)
      const authorisation = client.authorise(request)
      const aggregate = { decider: wallet, stream: walletStream(walletId) }
      const inForce = keyPolicyOf(requireWallet((await load(log, aggregate)).state))
      const rules = { policy: inForce, verify: verifyJws, now: Date.now() }
      const intents = verifyPolicyChange({ authorisation, approvals }, rules).map(intentId)
      await execute(log, aggregate, (): WalletCommand => ({ type: 'ChangePolicy', policy, authorisation, approvals, intents }), context())
    },
    async freeze(walletId) {
      const aggregate = { decider: wallet, stream: walletStream(walletId) }
      await execute(log, aggregate, (): WalletCommand => ({ type: 'Freeze', reason: 'test' }), context())
    },
    outcome,
    sign: async (key, message) => outcome(await requestSignature(key, message)),
    async revoke(keyId) {
      await execute(
        log,
        { decider: keyShare, stream: keyShareStream(keyId) },
        (): KeyShareCommand => ({ type: 'RevokeKey', reason: 'test', authorisation: authorise(`/v1/keys/${keyId}/revoke`, {}) }),
        context(),
      )
    },
    async refresh(keyId) {
      const aggregate = { decider: keyShare, stream: keyShareStream(keyId) }
      await execute(
        log,
        aggregate,
        (): KeyShareCommand => ({ type: 'RequestKeyRefresh', authorisation: authorise(`/v1/keys/${keyId}/refresh`, {}) }),
        context(),
      )
      return waitFor(log, aggregate, (state) => {
        const key = requireKey(state)
        return key.refresh ? undefined : key
      })
    },
    async recover(keyId, partyId) {
      const aggregate = { decider: keyShare, stream: keyShareStream(keyId) }
      const authorisation = authorise(`/v1/keys/${keyId}/recover`, { party: partyId })
      const command = (): KeyShareCommand => ({ type: 'RequestShareRecovery', partyId, authorisation })
      await execute(log, aggregate, command, context())
      return waitFor(log, aggregate, (state) => {
        const key = requireKey(state)
        return key.recovery ? undefined : key
      })
    },
    events: (stream) => collect(log.readStream(stream)),
    async close() {
      stop.abort()
      await Promise.all([...processes, expiring])
      for (const each of [presignatures, ...others]) await each.close()
      directory.close()
      for (const party of parties) await party.kill()
      await messages.close()
      await log.close()
      await store.close()
      await nats.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

const post = (path: string, body: object): Omit<Authorisation, 'intent'> => ({ method: 'POST', path, body: JSON.stringify(body) })

function context(): CommandContext {
  return { commandId: randomUUID(), correlationId: randomUUID(), causationId: randomUUID(), actor: 'test', tenant: 'test' }
}

type TestPartyOptions = {
  id: string
  dir: string
  brokerUrl: string
  failures: unknown[]
  onSecret: OnSecret
  identities: TestIdentities
  presignatureTtlMs: number
  chains: Chains
  prices: Prices
}

async function startTestParty(options: TestPartyOptions): Promise<TestParty> {
  const { id, dir, brokerUrl, failures, onSecret, identities, presignatureTtlMs, chains, prices } = options
  let running: { messages: Messages; service: Party; close(): Promise<void> } | undefined
  let reviving: Promise<unknown> = Promise.resolve()
  let frozen: { until: Promise<void>; silent: boolean; thaw(): void } | undefined
  const { identity, sealingKey, vault: keystore } = identities.party(id)
  const vault: Vault = {
    ...keystore,
    seal(plaintext, associatedData) {
      onSecret(plaintext.slice(), 'kept')
      return keystore.seal(plaintext, associatedData)
    },
  }
  const hpke = hpkeSealing(sealingKey)
  const sealing: Sealing = {
    ...hpke,
    seal(recipient, plaintext, context) {
      onSecret(plaintext.slice(), 'told')
      return hpke.seal(recipient, party.whisper?.(plaintext) ?? plaintext, context)
    },
  }
  const rng: RandomBytes = (length) => {
    const bytes = new Uint8Array(randomBytes(length))
    onSecret(bytes.slice(), 'drawn')
    return bytes
  }

  const party: TestParty = {
    id,
    dir,
    lie: undefined,
    mishear: undefined,
    whisper: undefined,
    beforeClaim: undefined,
    nonceCounts: (keyId) => running!.service.nonceCounts(keyId),
    diesAt: undefined,
    lives: () => reviving,
    async kill() {
      await running?.close()
      running = undefined
    },
    async revive() {
      const messages = await connectMessages({ url: brokerUrl, name: id })
      const onFailure = (error: unknown) => failures.push(error)
      const shares = await openShareStore({ dir, partyId: id, vault })
      const end = { ...identities.witness, identity }
      const wire = partyEndpoint(messages, end)
      const endpoint = troubled(wire)
      const file = ledgerFileIn(dir)
      const ledger = openSigningLedger({ file })
      const store = openWitnessStore({ file })
      const stopWitness = bearWitness({ ...end, messages, store, onFailure })
      const fence = raiseFence({ ...end, messages, ledger, store, onFailure })
      const service = serveParty({
        partyId: id,
        endpoint,
        shares,
        voice: { ...end, sealing },
        verify: verifyJws,
        ledger: {
          ...ledger,
          claim: async (...claim) => party.beforeClaim?.().then(() => ledger.claim(...claim)) ?? ledger.claim(...claim),
        },
        chains,
        prices,
        fence,
        presignatureTtlMs,
        rng,
        onFailure,
      })
      const voice: Messages = { ...messages, publish: (...said) => frozen?.silent || messages.publish(...said) }
      const stopHealth = announceHealth(voice, id, async () => ({
        partyId: id,
        pid: process.pid,
        startedAt: new Date().toISOString(),
        version: 'test',
        vault: vault.description,
        keysOpen: true,
        shares: shares.count,
        unwrittenBans: shares.unwrittenBans,
        openCeremonies: service.openCeremonies,
        fenced: fence.isUp,
        claimsRefused: refusedClaims(ledger),
        refusedMessages: wire.refusedMessages,
      }))
      running = {
        messages,
        service,
        async close() {
          party.thaw()
          await stopHealth()
          await service.close()
          await fence.close()
          await stopWitness()
          await messages.close()
          await ledger.close()
          store.close()
        },
      }
      await messages.ping()
    },
    freeze({ silent } = { silent: false }) {
      let thaw = () => {}
      const until = new Promise<void>((resolve) => {
        thaw = resolve
      })
      frozen = { until, silent, thaw }
    },
    thaw() {
      frozen?.thaw()
      frozen = undefined
    },
  }

  function dieIf(dies: boolean | undefined): void {
    if (!dies) return
    party.diesAt = undefined
    reviving = party.kill().then(party.revive)
    throw new Error(`${id} dies`)
  }

  function troubled(endpoint: PartyEndpoint): PartyEndpoint {
    return {
      serve: (partyId, handler) =>
        endpoint.serve(partyId, async (asked) => {
          await frozen?.until
          dieIf(party.diesAt?.(asked, 'asked'))
          const reply = await handler(party.mishear?.(asked) ?? asked)
          dieIf(party.diesAt?.(asked, 'worked'))
          return (await party.lie?.(reply, asked)) ?? reply
        }),
    }
  }

  await party.revive()
  return party
}

/** The first state of the aggregate that is what is waited for. */
async function waitFor<State, Command, Event extends DomainEvent, Wanted>(
  log: EventLog,
  aggregate: Aggregate<State, Command, Event>,
  wanted: (state: State) => Wanted | undefined,
): Promise<Wanted> {
  const signal = AbortSignal.timeout(OUTCOME_WITHIN_MS)
  for await (const batch of log.subscribe({ prefixes: [aggregate.stream], signal })) {
    if (!batch.some(({ kind }) => kind === 'event')) continue
    const found = wanted((await load(log, aggregate)).state)
    if (found !== undefined) return found
  }
  throw new Error(`${aggregate.stream} has not come to an end`)
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}

export type SessionEvent = RecordedEvent & SigningSessionEvent
export type KeyEvent = RecordedEvent & KeyShareEvent

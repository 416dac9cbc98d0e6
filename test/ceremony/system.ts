/** A small Quorate in one process: real parties, broker, event store and processes; each party can be killed, frozen, or made to lie. */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { startEmbeddedNats } from '../../adapters/embedded/nats/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { hpkeSealing } from '../../adapters/hpke/sealing.ts'
import { openKeystore } from '../../adapters/keystore/vault.ts'
import { connectMessages } from '../../adapters/nats/messages.ts'
import { startNatsServer } from '../../adapters/nats/nats-server.ts'
import { connectPartyChannel, partyEndpoint } from '../../adapters/nats/party-channel.ts'
import { watchParties } from '../../adapters/nats/party-directory.ts'
import type { Aggregate, DomainEvent } from '../../commands/aggregate.ts'
import { type CommandContext, execute } from '../../commands/execute.ts'
import { load } from '../../commands/load.ts'
import { runConsumer } from '../../commands/processes/consumer.ts'
import { inSequence } from '../../commands/processes/in-sequence.ts'
import { keyAttachmentProcess } from '../../commands/processes/key-attachment.ts'
import { keyGenerationProcess } from '../../commands/processes/key-generation.ts'
import { keyRevocationProcess } from '../../commands/processes/key-revocation.ts'
import { createPartyChoice } from '../../commands/processes/party-choice.ts'
import { presignaturesProcess, recordPresignatures } from '../../commands/processes/presignatures.ts'
import type { Process } from '../../commands/processes/process.ts'
import { publishProgress } from '../../commands/processes/progress.ts'
import { signingProcess } from '../../commands/processes/signing.ts'
import { keepStock, type StockKeeping } from '../../commands/processes/stock-keeping.ts'
import type { PresignatureTier } from '../../domain/authorisation/key-policy.ts'
import type { CeremonyReply } from '../../domain/ceremony/messages.ts'
import { type KeyShareEvent, keyShareStream } from '../../domain/key-share/events.ts'
import { type ExistingKeyShare, type KeyShareCommand, keyShare, requireKey } from '../../domain/key-share/key-share.ts'
import type { EventLog, RecordedEvent } from '../../domain/ports/event-log.ts'
import type { Messages } from '../../domain/ports/messages.ts'
import type { Asked, PartyChannel, PartyEndpoint } from '../../domain/ports/party-channel.ts'
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
import { DEFAULT_POLICY } from '../../domain/wallet/policy.ts'
import { type WalletCommand, wallet } from '../../domain/wallet/wallet.ts'
import { announceHealth } from '../../parties/health.ts'
import type { NonceCounts } from '../../parties/nonce-pool.ts'
import { type Party, serveParty } from '../../parties/service.ts'
import { openShareStore } from '../../parties/share-store.ts'
import type { SigningGuards } from '../../parties/signing-guards.ts'
import { authorisationOf } from './by-hand.ts'
import { type TestIdentities, testGuards, testIdentities } from './guards.ts'

export type Broker = { url: string; close(): Promise<void> }

/** Undefined when `nats-server` is not installed. */
export const realBroker = (): Promise<Broker | undefined> => startNatsServer({ port: 0 })
export const embeddedBroker = (): Promise<Broker> => startEmbeddedNats({ port: 0 })

/** Is shown every secret before it is sealed, and all randomness that parties draw. */
export type OnSecret = (secret: Uint8Array) => void

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
  /** What the party is asked instead of what was sent; undefined for an honest carrier. */
  mishear: ((asked: Asked) => Asked) | undefined
  nonceCounts(keyId: string): NonceCounts
}

export type TestSystem = {
  log: EventLog
  channel: PartyChannel
  messages: Messages
  brokerUrl: string
  dir: string
  parties: readonly TestParty[]
  party(id: string): TestParty
  createWallet(): Promise<string>
  generateKey(walletId: string, options: { scheme: Scheme; threshold: number; parties: readonly string[] }): Promise<ExistingKeyShare>
  requestSignature(key: ExistingKeyShare, message: Uint8Array, options?: SessionOptions): Promise<string>
  /** Decides a command on a session. */
  command(sessionId: string, command: SigningSessionCommand): Promise<unknown>
  freeze(walletId: string): Promise<void>
  /** A signing process of another coordinator, which takes no part in the work unless called. */
  anotherCoordinator(): Process
  /** The session once it is over. */
  outcome(sessionId: string): Promise<ExistingSession>
  sign(key: ExistingKeyShare, message: Uint8Array): Promise<ExistingSession>
  revoke(keyId: string): Promise<void>
  events(stream: string): Promise<RecordedEvent[]>
  /** The stock of the coordinator that is at work. */
  presignatures: StockKeeping
  /** Resolves when the stock holds so many openings of each holder of the key. */
  stocked(key: ExistingKeyShare, count: number): Promise<void>
  identities: TestIdentities
  /** What went wrong in the processes, as far as they reported it. */
  failures: unknown[]
  close(): Promise<void>
}

export type SessionOptions = {
  seconds?: number
  approvers?: readonly string[]
  /** Commands that take effect together with the request. */
  andThen?: readonly SigningSessionCommand[]
}

const OUTCOME_WITHIN_MS = 30_000

export async function startTestSystem({
  parties: count,
  broker,
  presignatures: tier = 0,
  presignatureTtlMs = 60_000,
  onSecret = () => {},
}: {
  parties: number
  broker?: Broker
  presignatures?: PresignatureTier
  presignatureTtlMs?: number
  onSecret?: OnSecret
}): Promise<TestSystem> {
  const dir = await mkdtemp(join(tmpdir(), 'quorate-ceremony-'))
  const nats = broker ?? (await embeddedBroker())
  const store = await startEmbeddedEventStore({ port: 0, dataDir: join(dir, 'eventstore') })
  const log = connectEventLog({ url: store.url })
  const messages = await connectMessages({ url: nats.url, name: 'coordinator' })
  const channel = connectPartyChannel(messages, { name: 'coordinator' })
  const ids = Array.from({ length: count }, (_, index) => `party-${index + 1}`)
  const parties: TestParty[] = []
  const failures: unknown[] = []
  const identities = testIdentities()
  for (const id of ids) {
    const guards = testGuards(id, identities, tier)
    parties.push(await startTestParty({ id, dir: join(dir, id), brokerUrl: nats.url, guards, presignatureTtlMs, failures, onSecret }))
  }

  const directory = watchParties(messages, ids)
  const stop = new AbortController()
  const progress = publishProgress(messages)
  const onFailure = (error: unknown) => failures.push(error)
  const requests = { channel, standing: createPartyChoice(directory), verifyOpening: identities.verify }
  const stockKept = (tier: PresignatureTier) =>
    keepStock({ ...requests, tierOf: () => tier, record: recordPresignatures(log), onFailure, timing: { recordEveryMs: 0, everyMs: 100 } })
  const coordinator = (presignatures: StockKeeping) => signingProcess({ log, ...requests, directory, presignatures, progress })
  const presignatures = stockKept(tier)
  const others: StockKeeping[] = []
  const anotherCoordinator = () => {
    const own = stockKept(0)
    others.push(own)
    return coordinator(own)
  }
  const processes = [
    coordinator(presignatures),
    presignaturesProcess({ log, presignatures }),
    keyGenerationProcess({ log, channel, progress }),
    keyAttachmentProcess({ log }),
    keyRevocationProcess({ log, channel }),
  ].map((process) => runConsumer(process, { log, signal: stop.signal, onFailure: (_, error) => onFailure(error) }))

  const outcome = (sessionId: string) =>
    waitFor(log, { decider: signingSession, stream: signingSessionStream(sessionId) }, (state) => {
      const session = requireSession(state)
      return isTerminal(session) ? session : undefined
    })

  const requestSignature: TestSystem['requestSignature'] = async (key, message, { seconds = 30, ...options } = {}) => {
    const sessionId = randomUUID()
    const { keyId, walletId, tenant, scheme } = key
    const request: SigningSessionCommand = {
      type: 'RequestSignature',
      sessionId,
      keyId,
      walletId,
      tenant,
      scheme,
      payload: { kind: 'message', encoding: 'hex', data: Buffer.from(message).toString('hex') },
      message: Buffer.from(protocolOf(scheme).message(message)).toString('hex'),
      deadline: new Date(Date.now() + seconds * 1000).toISOString(),
      approvals: options.approvers ? { required: options.approvers.length, approvers: options.approvers } : null,
      authorisation: authorisationOf(key, message),
    }
    const aggregate = { decider: inSequence(signingSession), stream: signingSessionStream(sessionId) }
    await execute(log, aggregate, () => [request, ...(options.andThen ?? [])], context())
    return sessionId
  }

  return {
    log,
    channel,
    messages,
    brokerUrl: nats.url,
    dir,
    parties,
    presignatures,
    async stocked(key, count) {
      const isStocked = () => key.parties.every((id) => presignatures.stock.held(key, id) === count)
      for await (const _ of setInterval(5, undefined, { signal: AbortSignal.timeout(OUTCOME_WITHIN_MS) })) if (isStocked()) return
    },
    identities,
    failures,
    party: (id) => parties.find((party) => party.id === id)!,
    async createWallet() {
      const walletId = randomUUID()
      await execute(
        log,
        { decider: wallet, stream: walletStream(walletId) },
        (): WalletCommand => ({ type: 'CreateWallet', walletId, tenant: 'test', name: 'test', clientKeys: [], policy: DEFAULT_POLICY }),
        context(),
      )
      return walletId
    },
    async generateKey(walletId, { scheme, threshold, parties }) {
      const keyId = randomUUID()
      const aggregate = { decider: keyShare, stream: keyShareStream(keyId) }
      await execute(
        log,
        aggregate,
        (): KeyShareCommand => ({
          type: 'RequestKeyGeneration',
          keyId,
          walletId,
          tenant: 'test',
          scheme,
          threshold,
          parties,
          authorisation: AUTHORISATION,
        }),
        context(),
      )
      return waitFor(log, aggregate, (state) => {
        const key = requireKey(state)
        return key.status === 'pending' || key.status === 'generating' ? undefined : key
      })
    },
    requestSignature,
    anotherCoordinator,
    command: (sessionId, command) =>
      execute(log, { decider: signingSession, stream: signingSessionStream(sessionId) }, () => command, context()),
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
        (): KeyShareCommand => ({ type: 'RevokeKey', reason: 'test' }),
        context(),
      )
    },
    events: (stream) => collect(log.readStream(stream)),
    async close() {
      stop.abort()
      await Promise.all(processes)
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

const AUTHORISATION = { method: 'POST', path: '/v1/keys', body: '{}', intent: null }

function context(): CommandContext {
  return { commandId: randomUUID(), correlationId: randomUUID(), causationId: randomUUID(), actor: 'test', tenant: 'test' }
}

type TestPartyOptions = {
  id: string
  dir: string
  brokerUrl: string
  guards: SigningGuards
  presignatureTtlMs: number
  failures: unknown[]
  onSecret: OnSecret
}

async function startTestParty(options: TestPartyOptions): Promise<TestParty> {
  const { id, dir, brokerUrl, guards, presignatureTtlMs, failures, onSecret } = options
  let running: { messages: Messages; service: Party; close(): Promise<void> } | undefined
  let frozen: { until: Promise<void>; silent: boolean; thaw(): void } | undefined
  const keystore = await openKeystore({ dir: join(dir, 'keystore'), passphrase: id })
  const vault: Vault = {
    ...keystore,
    seal(plaintext, associatedData) {
      onSecret(plaintext.slice())
      return keystore.seal(plaintext, associatedData)
    },
  }
  const sealing: Sealing = {
    ...hpkeSealing,
    seal(recipient, plaintext, context) {
      onSecret(plaintext.slice())
      return hpkeSealing.seal(recipient, plaintext, context)
    },
  }
  const rng: RandomBytes = (length) => {
    const bytes = new Uint8Array(randomBytes(length))
    onSecret(bytes.slice())
    return bytes
  }

  const party: TestParty = {
    id,
    dir,
    lie: undefined,
    mishear: undefined,
    nonceCounts: (keyId) => running!.service.nonceCounts(keyId),
    async kill() {
      await running?.close()
      running = undefined
    },
    async revive() {
      const messages = await connectMessages({ url: brokerUrl, name: id })
      const onFailure = (error: unknown) => failures.push(error)
      const shares = await openShareStore({ dir, partyId: id, vault })
      const endpoint = troubled(partyEndpoint(messages))
      const service = serveParty({ partyId: id, endpoint, shares, sealing, guards, presignatureTtlMs, rng, onFailure })
      const voice: Messages = { ...messages, publish: (...said) => frozen?.silent || messages.publish(...said) }
      const stopHealth = announceHealth(voice, id, async () => ({
        partyId: id,
        pid: process.pid,
        startedAt: new Date().toISOString(),
        version: 'test',
        vault: vault.description,
        keysOpen: true,
        shares: shares.count,
        openCeremonies: service.openCeremonies,
      }))
      running = {
        messages,
        service,
        async close() {
          party.thaw()
          await stopHealth()
          await service.close()
          await messages.close()
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

  function troubled(endpoint: PartyEndpoint): PartyEndpoint {
    return {
      serve: (partyId, handler) =>
        endpoint.serve(partyId, async (asked) => {
          await frozen?.until
          const reply = await handler(party.mishear?.(asked) ?? asked)
          return party.lie?.(reply, asked) ?? reply
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

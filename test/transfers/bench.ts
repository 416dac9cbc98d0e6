/** Transfers over a real log and a real node. Signatures are made with a key that is in one place: what is tried here is what goes on around them. */
import { randomUUID } from 'node:crypto'
import { once, setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import type { ExecutionContext } from 'ava'
import { openChainNodes } from '../../adapters/chains/nodes.ts'
import { openChains } from '../../adapters/chains/registry.ts'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { execute } from '../../commands/execute.ts'
import { type AggregateLog, load, rememberingLog } from '../../commands/load.ts'
import { inSequence } from '../../commands/processes/in-sequence.ts'
import { runTransfers } from '../../commands/processes/transfers/transfers.ts'
import { type AccountCommand, account } from '../../domain/account/account.ts'
import { accountIdOf } from '../../domain/account/account-id.ts'
import { accountStream } from '../../domain/account/events.ts'
import { withCurrentEvents } from '../../domain/current-events.ts'
import type { Chain } from '../../domain/ports/chain.ts'
import type { ChainNode, ChainNodes, FeeLevel } from '../../domain/ports/chain-node.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import type { MadeSignature } from '../../domain/ports/transaction-codec.ts'
import { SIGNING_SESSION_STREAMS, type SigningRequest, signingSessionStream } from '../../domain/signing-session/events.ts'
import { type SigningSessionCommand, signingSession } from '../../domain/signing-session/signing-session.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { walletStream } from '../../domain/wallet/events.ts'
import { DEFAULT_POLICY, type WalletPolicy } from '../../domain/wallet/policy.ts'
import { availableOf, positionOf } from '../../domain/wallet/transfers/funds.ts'
import { statusOf } from '../../domain/wallet/transfers/holdings.ts'
import { type ExistingWallet, requireWallet, type WalletCommand, wallet } from '../../domain/wallet/wallet.ts'
import { type Anvil, type AnvilOptions, startAnvil } from '../chains/anvil.ts'
import { chainsFile } from '../chains/chains-file.ts'
import { portToKeep } from '../port-to-keep.ts'

export const CHAIN = 'eip155:31337'
export const ETHER = 10n ** 18n
export const STRANGER = '0x00000000000000000000000000000000DeaDBeef'
const WITHIN_MS = 120_000
const LOOK_EVERY_MS = 50

/** Whether, and how, what is asked for is signed. */
export type Signer = {
  /** Sessions are left alone until the returned function is called. */
  hold(): () => void
  /** After those that were to be refused before, so many sessions fail with this; when parties are not `asked` before an attempt begins. */
  refuse(sessions: number, code: string, asked?: 'asked' | 'unasked'): void
  /** Messages that were signed, hex. */
  readonly signed: readonly string[]
}

export type Coordinator = {
  failures: unknown[]
  /** Resolves when it has made as many appends as it was to make. */
  gone: Promise<unknown>
  /** It is gone in the middle of whatever it does: nothing that it begins from now on reaches the log. */
  crash(): Promise<void>
}

/** On a node of an EVM chain. */
export type Bench = ChainBench & {
  /** Another one after a restart. */
  readonly anvil: Anvil
  /** Killed, and started again on its port with these arguments. */
  restartAnvil(options?: AnvilOptions): Promise<void>
}

/** A key that is in one place; what it signs is signed at once. */
export type WholeKey = { scheme: Scheme; publicKey: Uint8Array; sign(message: Uint8Array): MadeSignature }

export type ChainBenchOptions = {
  /** CAIP-2. */
  chain: string
  endpoints: readonly string[]
  settings?: object
  policy?: WalletPolicy
  key: WholeKey
  /** Pays from outside. */
  pay(to: string, amount: bigint): Promise<unknown>
  /** Whom transfers pay that say nothing of it. */
  receiver: string
}

export type ChainBench = {
  chain: Chain
  node: ChainNode
  log: AggregateLog
  walletId: string
  accountId: string
  address: string
  signer: Signer
  /** Nodes as the next coordinator is to see them. */
  nodesSeenAs(change: (node: ChainNode) => ChainNode): void
  /** `appends`: after so many it is gone, in the middle of whatever it does. */
  coordinate(options?: { appends?: number }): Coordinator
  wallet(): Promise<ExistingWallet>
  command(command: WalletCommand): Promise<void>
  /** A client's wish to have it cancelled, or done faster. */
  replace(transferId: string, as: 'cancel' | 'accelerate'): Promise<void>
  /** Resolves once somebody looks for deposits: what came before that is found in the balance, when that is final. */
  watched(): Promise<void>
  /** Funds that come in from outside, and are credited. */
  fund(amount: bigint): Promise<void>
  /** `agoMs`: it was asked for so long ago. */
  request(wanted?: Partial<Wanted>, options?: { agoMs?: number }): Promise<string>
  /** The status of a signing session. */
  session(sessionId: string): Promise<string>
  /** Its status, now or when it has ended. */
  status(transferId: string): Promise<string | undefined>
  reaches(transferId: string, ...statuses: string[]): Promise<void>
  /** Resolves when it holds of the wallet. */
  until(holds: (wallet: ExistingWallet) => boolean): Promise<void>
  events(): Promise<RecordedEvent[]>
  typesOf(transferId: string): Promise<string[]>
  available(): Promise<bigint>
  /** That the account has, by what is known, what it has by the chain. */
  reconciled(t: ExecutionContext): Promise<void>
}

export type Wanted = { asset: string; to: string; amount: bigint; fee: FeeLevel; memo: string | null; publicMemo?: string }

export async function startBench(
  t: ExecutionContext,
  {
    anvil: options,
    settings = {},
    policy = DEFAULT_POLICY,
    endpointsOf = async (nodeUrl) => [nodeUrl],
  }: {
    anvil?: AnvilOptions
    settings?: object
    policy?: WalletPolicy
    /** What stands in front of the node. */
    endpointsOf?(nodeUrl: string): Promise<readonly string[]>
  } = {},
): Promise<Bench> {
  const port = await portToKeep()
  let anvil = await startAnvil({ ...options, port })
  // After whoever asks it: what is to be torn down last is named first.
  t.teardown(() => anvil.kill())
  const { url } = anvil
  const pay = (to: string, wei: bigint) => anvil.send(to, wei)
  const key = ethereumKey()
  const bench = await startChainBench(t, {
    chain: CHAIN,
    endpoints: await endpointsOf(url),
    settings,
    policy,
    key,
    pay,
    receiver: STRANGER,
  })
  return {
    ...bench,
    get anvil() {
      return anvil
    },
    async restartAnvil(again) {
      await anvil.kill()
      anvil = await startAnvil({ ...again, port })
    },
  }
}

function ethereumKey(): WholeKey {
  const secret = secp256k1.utils.randomSecretKey()
  return {
    scheme: 'dkls23-secp256k1',
    publicKey: secp256k1.getPublicKey(secret),
    sign(message) {
      const recovered = secp256k1.sign(message, secret, { prehash: false, format: 'recovered' })
      return { signature: recovered.subarray(1), recoveryId: recovered[0]! }
    },
  }
}

/** A wallet with one account on a chain, whose nodes are running. */
export async function startChainBench(
  t: ExecutionContext,
  { chain: id, endpoints, settings = {}, policy = DEFAULT_POLICY, key, pay, receiver }: ChainBenchOptions,
): Promise<ChainBench> {
  const store = await startEmbeddedEventStore({ port: 0 })
  const plain = connectEventLog({ url: store.url })
  const log = rememberingLog(withCurrentEvents(plain), { onFailure: (_, error) => t.log(error) })
  const file = await chainsFile({ [id]: { endpoints, pollMs: 25, ...settings } })
  const chains = await openChains(file.path)
  const nodes = await openChainNodes(file.path)
  await file.remove()
  const chain = chains.get(id)!
  const node = nodes.get(id)!
  let seenAs: ChainNodes = nodes

  const { scheme, publicKey } = key
  const address = chain.addressOf(scheme, publicKey)
  const walletId = randomUUID()
  const keyId = randomUUID()
  const payer = { keyId, scheme, chain: id, path: 'm', publicKey: bytesToHex(publicKey), address }
  const accountId = accountIdOf({ walletId, ...payer })
  const aggregate = { decider: wallet, stream: walletStream(walletId) }
  const command = async (command: WalletCommand) => void (await execute(log, aggregate, () => command, context()))
  await command({ type: 'CreateWallet', walletId, tenant: 'test', name: 'test', clientKeys: [], policy })
  const opened: AccountCommand = { type: 'OpenAccount', accountId, walletId, tenant: 'test', ...payer }
  await execute(log, { decider: account, stream: accountStream(accountId) }, () => opened, context())

  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const { signer, done: signing } = signWith(key, log, stop.signal)
  const coordinators: Coordinator[] = []

  const current = async () => requireWallet((await load(log, aggregate)).state)
  const until: Bench['until'] = async (holds) => {
    const deadline = Date.now() + WITHIN_MS
    while (!holds(await current())) {
      if (Date.now() > deadline) {
        const { transfers } = await current()
        const states = Object.values(transfers).map(({ transferId, status, stuck }) => `${transferId} ${status} ${stuck?.reason ?? ''}`)
        throw new Error(
          `it has not come to that: ${states.slice(0, 5).join(', ')} ${coordinators.flatMap(({ failures }) => failures).slice(-3)}`,
        )
      }
      await delay(LOOK_EVERY_MS)
    }
  }
  const events = async () => {
    const all: RecordedEvent[] = []
    for await (const event of log.readStream(aggregate.stream)) all.push(event)
    return all
  }

  const bench: ChainBench = {
    chain,
    node,
    log,
    walletId,
    accountId,
    address,
    signer,
    nodesSeenAs(change) {
      seenAs = new Map([...nodes].map(([id, each]) => [id, change(each)]))
    },
    coordinate({ appends = Number.POSITIVE_INFINITY } = {}) {
      const gone = new AbortController()
      let left = appends
      const failures: unknown[] = []
      const alive: AggregateLog = {
        ...log,
        append: (...args) => {
          if (left <= 0) gone.abort()
          if (gone.signal.aborted) throw new Error('the coordinator is gone')
          left--
          return log.append(...args)
        },
      }
      const running = runTransfers({
        log: alive,
        chains,
        nodes: seenAs,
        signal: AbortSignal.any([gone.signal, stop.signal]),
        onFailure: (_, error) => failures.push(error),
        stuckAfterMs: 3_000,
        markEveryMs: 100,
      })
      const crash = async () => {
        gone.abort()
        await running
      }
      const coordinator = { failures, crash, gone: once(gone.signal, 'abort') }
      coordinators.push(coordinator)
      return coordinator
    },
    wallet: current,
    command,
    async replace(transferId, as) {
      const authorisation = { method: 'POST', path: `/v1/transfers/${transferId}/${as}`, body: '{}', intent: null }
      const by = 'test'
      await command(
        as === 'cancel'
          ? { type: 'CancelTransfer', transferId, maxFee: null, by, authorisation }
          : { type: 'AccelerateTransfer', transferId, fee: 'high', maxFee: null, by, authorisation },
      )
    },
    async watched() {
      const deadline = Date.now() + WITHIN_MS
      while ((await log.readSnapshot(`deposits-${id}`)) === undefined) {
        if (Date.now() > deadline) throw new Error('nobody looks for deposits')
        await delay(LOOK_EVERY_MS)
      }
    },
    async fund(amount) {
      await bench.watched()
      const before = await bench.available()
      await pay(address, amount)
      await until(({ funds }) => availableOf(positionOf(funds, accountId, chain.nativeAsset)) >= before + amount)
    },
    session: async (sessionId) => (await load(log, { decider: signingSession, stream: signingSessionStream(sessionId) })).state.status,
    async request(wanted = {}, { agoMs = 0 } = {}) {
      const transferId = randomUUID()
      const { asset = chain.nativeAsset, to = receiver, amount = 1_000n, fee = 'normal', memo = null, publicMemo } = wanted
      const sender = { scheme, publicKey, address }
      const quote = await node.quote({ sender, asset, to, amount, fee, maxFee: null, memo: publicMemo ?? null })
      await command({
        type: 'RequestTransfer',
        transferId,
        accountId,
        ...payer,
        asset,
        to,
        amount: String(amount),
        fee,
        maxFee: null,
        memo,
        ...(publicMemo !== undefined && { publicMemo }),
        feeAsset: chain.nativeAsset,
        quotedFee: String(quote.fee),
        usdCents: null,
        holders: 3,
        now: new Date(Date.now() - agoMs).toISOString(),
        authorisation: { method: 'POST', path: `/v1/wallets/${walletId}/transfers`, body: '{}', intent: null },
      })
      return transferId
    },
    status: async (transferId) => statusOf(await current(), transferId),
    reaches: (transferId, ...statuses) => until((state) => statuses.includes(statusOf(state, transferId) ?? '')),
    until,
    events,
    typesOf: async (transferId) =>
      (await events()).filter(({ data }) => (data as { transferId?: string }).transferId === transferId).map(({ type }) => type),
    async available() {
      return availableOf(positionOf((await current()).funds, accountId, chain.nativeAsset))
    },
    async reconciled(t) {
      const { funds } = await current()
      for (const asset of new Set([chain.nativeAsset, ...Object.keys(funds[accountId] ?? {})])) {
        const { settled, reserved, pending } = positionOf(funds, accountId, asset)
        t.is(BigInt(settled) + BigInt(pending), (await node.balance(address, asset)).amount, asset)
        t.is(reserved, '0')
      }
    },
  }
  t.teardown(async () => {
    stop.abort()
    await Promise.all([signing, ...coordinators.map(({ crash }) => crash())])
    await node.close()
    await plain.close()
    await store.close()
  })
  return bench
}

/** Signs what sessions ask for, as the parties would together. */
function signWith(key: WholeKey, log: AggregateLog, signal: AbortSignal): { signer: Signer; done: Promise<void> } {
  const signed: string[] = []
  let released = Promise.resolve()
  const refusals: { code: string; asked: 'asked' | 'unasked' }[] = []
  const decide = (sessionId: string, commands: readonly SigningSessionCommand[]) =>
    execute(log, { decider: inSequence(signingSession), stream: signingSessionStream(sessionId) }, () => commands, context())

  const sign = async ({ sessionId, message }: SigningRequest): Promise<void> => {
    await released
    const start: SigningSessionCommand = { type: 'StartSigning', attempt: 1, signers: ['party-1', 'party-2'], previous: null }
    const refusal = refusals.shift()
    if (refusal) {
      const fail: SigningSessionCommand = { type: 'FailSigning', code: refusal.code, culprits: [] }
      await decide(sessionId, refusal.asked === 'asked' ? [start, fail] : [fail])
      return
    }
    const { state } = await load(log, { decider: signingSession, stream: signingSessionStream(sessionId) })
    if (state.status !== 'requested') return
    const { signature, recoveryId } = key.sign(hexToBytes(message))
    signed.push(message)
    await decide(sessionId, [
      start,
      { type: 'CompleteRound', attempt: 1, round: 1, rounds: 1 },
      { type: 'ProduceSignature', attempt: 1, signature: bytesToHex(signature), ...(recoveryId !== null && { recoveryId }) },
    ])
  }
  const follow = async () => {
    for await (const batch of log.subscribe({ prefixes: [SIGNING_SESSION_STREAMS], signal }))
      for (const message of batch)
        if (message.kind === 'event' && message.event.type === 'SigningRequested')
          sign(message.event.data as SigningRequest).catch((error: unknown) => {
            if (!signal.aborted) throw error
          })
  }
  return {
    signer: {
      signed,
      refuse(sessions, code, asked = 'asked') {
        for (let i = 0; i < sessions; i++) refusals.push({ code, asked })
      },
      hold() {
        let release = () => {}
        released = new Promise((resolve) => {
          release = resolve
        })
        return release
      },
    },
    done: follow().catch((error: unknown) => {
      if (!signal.aborted) throw error
    }),
  }
}

function context() {
  return { commandId: randomUUID(), correlationId: randomUUID(), causationId: randomUUID(), actor: 'test', tenant: 'test' }
}

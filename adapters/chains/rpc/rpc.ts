import { setMaxListeners } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { ChainFailure } from '../../../domain/ports/chain-node.ts'
import { type Call, type Endpoint, type Nodes, openEndpoint, type RpcObserver } from './endpoint.ts'
import { EndpointFailure, RpcRefusal } from './failures.ts'
import type { RpcSettings } from './settings.ts'
import { TIMED_OUT, within } from './within.ts'

/** The endpoints of a chain, in the order of the settings. A node's own error comes as RpcRefusal; whoever asks knows what it means on this chain. */
export type Rpc = {
  /**
   * Reads. All calls of `work` go to one endpoint, so that they are told of one chain; when it fails `work` begins anew with the next one.
   * @throws RpcRefusal, ChainFailure `chain_unavailable`
   */
  ask<T>(work: (call: Call) => Promise<T>): Promise<T>
  /** The same work with every endpoint: what each says that answers at all. @throws RpcRefusal, ChainFailure `chain_unavailable` when none does */
  askAll<T>(work: (call: Call) => Promise<T>): Promise<readonly T[]>
  /**
   * Sends what has the same effect however often it is sent, such as a signed transaction. An error says whether an earlier try may have gone through.
   * @throws RpcRefusal, ChainFailure `chain_unavailable`
   */
  send(method: string, params: readonly unknown[]): Promise<unknown>
  /** Ends what is under way. */
  close(): void
}

export type RpcOptions = {
  /** CAIP-2. */
  readonly chain: string
  /** URLs, one at least. */
  readonly endpoints: readonly string[]
  readonly nodes: Nodes
  readonly settings: RpcSettings
  readonly observer: RpcObserver
}

/** No endpoint has answered in a round. */
class AllFailed extends Error {}

const FIRST_PAUSE_MS = 400
const MAX_PAUSE_MS = 5_000

export function openRpc({ chain, endpoints: urls, nodes, settings, observer }: RpcOptions): Rpc {
  const endpoints = urls.map((url, index) => openEndpoint(url, index, chain, nodes, settings, observer))
  const closing = new AbortController()
  // As many listen as requests are under way.
  setMaxListeners(0, closing.signal)

  /** Tries one endpoint after another. `mayBeDone` tells what the tries before have left open. */
  async function firstAnswer<T>(isSending: boolean, work: (call: Call, mayBeDone: () => boolean) => Promise<T>): Promise<T> {
    let mayBeDone = false
    const round = async (signal: AbortSignal) => {
      const reasons: string[] = []
      for (const [index, endpoint] of endpoints.entries()) {
        signal.throwIfAborted()
        try {
          return await tried(endpoint, signal, (call) => work(call, () => mayBeDone))
        } catch (error) {
          if (!(error instanceof EndpointFailure)) throw error
          mayBeDone ||= isSending && error.mayBeDone
          reasons.push(`endpoint ${index}: ${error.fault}`)
        }
      }
      throw new AllFailed(reasons.join('; '))
    }
    return within(settings.deadlineMs, closing.signal, (signal) =>
      again(settings.retries, signal, () => round(signal)).catch((error: unknown) => {
        if (error instanceof AllFailed) throw unavailable(error.message, mayBeDone)
        if (error instanceof RpcRefusal || !signal.aborted) throw error
        throw unavailable(signal.reason === TIMED_OUT ? `not within ${settings.deadlineMs} ms` : 'closed', mayBeDone)
      }),
    )
  }

  const unavailable = (reason: string, mayBeDone = false) =>
    new ChainFailure('chain_unavailable', `no endpoint of ${chain} answers: ${reason}`, !mayBeDone)

  return {
    ask: (work) => firstAnswer(false, (call) => work(call)),
    async askAll(work) {
      const all = await within(settings.deadlineMs, closing.signal, (signal) =>
        Promise.allSettled(endpoints.map((endpoint) => tried(endpoint, signal, work))),
      )
      const answers = all.filter((each) => each.status === 'fulfilled').map(({ value }) => value)
      if (answers.length > 0) return answers
      const reasons = all.filter((each) => each.status === 'rejected').map(({ reason }) => reason as Error)
      const refusal = reasons.find((reason) => !(reason instanceof EndpointFailure))
      throw refusal ?? unavailable(reasons.map(({ message }, index) => `endpoint ${index}: ${message}`).join('; '))
    },
    send: (method, params) =>
      firstAnswer(true, async (call, mayBeDone) => {
        try {
          return await call(method, params)
        } catch (error) {
          if (!(error instanceof RpcRefusal)) throw error
          throw new RpcRefusal(error.code, error.message, error.data, mayBeDone())
        }
      }),
    close: () => closing.abort(),
  }
}

/** Begins another round while all endpoints fail, after longer and longer pauses, no two of which are alike. */
async function again<T>(retries: number, signal: AbortSignal, round: () => Promise<T>): Promise<T> {
  for (let failed = 0; ; failed++) {
    try {
      return await round()
    } catch (error) {
      if (!(error instanceof AllFailed) || failed === retries) throw error
    }
    await setTimeout(Math.min(FIRST_PAUSE_MS * 2 ** failed, MAX_PAUSE_MS) * (0.5 + Math.random() / 2), undefined, { signal })
  }
}

async function tried<T>(endpoint: Endpoint, signal: AbortSignal, work: (call: Call) => Promise<T>): Promise<T> {
  const reason = endpoint.unreadiness()
  if (reason) throw new EndpointFailure(reason, false)
  return work((method, params = []) => endpoint.call(method, params, signal))
}

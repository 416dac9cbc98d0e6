import { BrokenCircuitError, BulkheadRejectedError, bulkhead, CircuitState, circuitBreaker, handleAll, SamplingBreaker } from 'cockatiel'
import type { EndpointState } from '../../../domain/ports/coordinators.ts'
import { EndpointFailure, RpcRefusal } from './failures.ts'
import { jsonRpc } from './json-rpc.ts'
import type { RpcSettings } from './settings.ts'

/** Asks a node. @throws RpcRefusal, EndpointFailure */
export type Call = (method: string, params?: readonly unknown[]) => Promise<unknown>

/** What all nodes of a kind of chain have in common. */
export type Nodes = {
  /** The CAIP-2 id of the chain that a node is of. */
  identify(call: Call): Promise<string>
  /** Whether an error says that this node cannot just now, while another might. */
  isUnable(refusal: RpcRefusal): boolean
}

export type CallOutcome = 'answered' | 'refused' | 'failed' | 'rate_limited'

/** Is told what the endpoints do. They are named by their place in the settings, from 0, as their URLs may hold keys. */
export type RpcObserver = {
  /** `code` of what was refused or has failed: that of JSON-RPC, or the endpoint's fault. */
  called(chain: string, endpoint: number, outcome: CallOutcome, seconds: number, code?: string): void
  changed(chain: string, endpoint: number, state: EndpointState): void
}

export type Endpoint = {
  /** Why it is not to be asked now; undefined when it is. */
  unreadiness(): 'circuit_open' | 'rate_limited' | 'wrong_chain' | undefined
  /** @throws RpcRefusal, EndpointFailure; nothing is asked of a node of another chain */
  call(method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown>
}

/** An endpoint of another chain may have been moved there by mistake. */
const WRONG_CHAIN_PAUSE_MS = 60_000
/** -32005 is that of EIP-1474; others use the status of HTTP. */
const RATE_LIMIT_CODES = [-32005, 429]
const RATE_LIMIT_WORDS = /rate.?limit|too many requests|request limit|quota|compute units|throughput/i
const RATE_LIMIT_PAUSE_MS = 1_000
/** How many requests may wait for their turn. */
const MAX_WAITING = 10_000

type Settled = { readonly result: unknown } | { readonly refusal: RpcRefusal } | { readonly limited: EndpointFailure }

/** One endpoint with its circuit breaker. It is asked which chain it is of before anything else, and again whenever it has failed. */
export function openEndpoint(
  url: string,
  index: number,
  chain: string,
  nodes: Nodes,
  { breaker, concurrency, ...settings }: RpcSettings,
  observer: RpcObserver,
): Endpoint {
  const transport = jsonRpc(url, settings)
  const circuit = circuitBreaker(handleAll, {
    halfOpenAfter: breaker.pauseMs,
    breaker: new SamplingBreaker({
      threshold: breaker.failureRate,
      duration: breaker.windowMs,
      minimumRps: breaker.minimumCalls / (breaker.windowMs / 1_000),
    }),
  })
  const lanes = bulkhead(concurrency, MAX_WAITING)
  let state: EndpointState | undefined
  const become = (next: EndpointState): void => {
    if (next !== state) observer.changed(chain, index, next)
    state = next
  }
  circuit.onBreak(() => become('down'))
  circuit.onReset(() => become('up'))
  /** Settled once it has said so; those who ask meanwhile wait for it. */
  let ofChain: Promise<void> | undefined
  let pause: { readonly until: number; readonly reason: 'rate_limited' | 'wrong_chain' } | undefined

  async function settle(method: string, params: readonly unknown[], signal: AbortSignal): Promise<Settled> {
    try {
      return { result: await transport(method, params, signal) }
    } catch (error) {
      if (error instanceof EndpointFailure && error.fault === 'rate_limited') return { limited: error }
      if (!(error instanceof RpcRefusal)) throw error
      if (RATE_LIMIT_CODES.includes(error.code) || RATE_LIMIT_WORDS.test(error.message))
        return { limited: new EndpointFailure('rate_limited', false, RATE_LIMIT_PAUSE_MS) }
      if (nodes.isUnable(error)) throw new EndpointFailure('unable', false)
      return { refusal: error }
    }
  }

  async function ask(method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    const startedAt = performance.now()
    const told = (outcome: CallOutcome, code?: string) =>
      observer.called(chain, index, outcome, (performance.now() - startedAt) / 1_000, code)
    let settled: Settled
    try {
      settled = await lanes.execute(() => circuit.execute(() => settle(method, params, signal)))
    } catch (error) {
      if (error instanceof BrokenCircuitError) throw new EndpointFailure('circuit_open', false)
      if (error instanceof BulkheadRejectedError) throw new EndpointFailure('overloaded', false)
      ofChain = undefined
      told('failed', error instanceof EndpointFailure ? error.fault : 'unreachable')
      throw error
    }
    if ('limited' in settled) {
      pause = { until: Date.now() + settled.limited.retryAfterMs, reason: 'rate_limited' }
      told('rate_limited')
      throw settled.limited
    }
    if ('refusal' in settled) {
      told('refused', String(settled.refusal.code))
      throw settled.refusal
    }
    told('answered')
    return settled.result
  }

  async function requireChain(signal: AbortSignal): Promise<void> {
    if ((await identity(signal)) === chain) return become('up')
    pause = { until: Date.now() + WRONG_CHAIN_PAUSE_MS, reason: 'wrong_chain' }
    become('wrong_chain')
    throw new EndpointFailure('wrong_chain', false)
  }

  async function identity(signal: AbortSignal): Promise<string> {
    try {
      return await nodes.identify((method, params = []) => ask(method, params, signal))
    } catch (error) {
      throw error instanceof RpcRefusal ? new EndpointFailure('unable', false) : error
    }
  }

  return {
    unreadiness() {
      if (pause && Date.now() < pause.until) return pause.reason
      // The one request that tries it again is under way; others need not wait for its timeout.
      return circuit.state === CircuitState.HalfOpen ? 'circuit_open' : undefined
    },
    async call(method, params, signal) {
      ofChain ??= requireChain(signal)
      await ofChain.catch((error: unknown) => {
        ofChain = undefined
        // What has been asked so far was only its name.
        throw error instanceof EndpointFailure ? new EndpointFailure(error.fault, false) : error
      })
      return ask(method, params, signal)
    },
  }
}

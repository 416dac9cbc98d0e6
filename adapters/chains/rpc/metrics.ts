import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { RpcObserver } from './endpoint.ts'

/** Metrics of the endpoints of all chains, which are named by their place in the settings. */
export function rpcMetrics(registry: Registry): RpcObserver {
  const labelNames = ['chain', 'endpoint']
  const registers = [registry]
  const calls = new Counter({
    name: 'quorate_rpc_calls_total',
    help: 'Requests to endpoints of chains; refused are those answered with an error of the chain.',
    labelNames: [...labelNames, 'outcome'],
    registers,
  })
  const errors = new Counter({
    name: 'quorate_rpc_errors_total',
    help: "Requests to endpoints of chains that were refused or failed, by JSON-RPC's code or the endpoint's fault.",
    labelNames: [...labelNames, 'code'],
    registers,
  })
  const duration = new Histogram({
    name: 'quorate_rpc_call_duration_seconds',
    help: 'Time from a request to an endpoint of a chain to its answer or failure.',
    labelNames,
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  const up = new Gauge({
    name: 'quorate_rpc_endpoint_up',
    help: '0 while the circuit of the endpoint is open, or it is of another chain.',
    labelNames,
    registers,
  })
  return {
    called(chain, endpoint, outcome, seconds, code) {
      calls.inc({ chain, endpoint, outcome })
      if (code !== undefined) errors.inc({ chain, endpoint, code })
      duration.observe({ chain, endpoint }, seconds)
    },
    changed: (chain, endpoint, state) => up.set({ chain, endpoint }, Number(state === 'up')),
  }
}

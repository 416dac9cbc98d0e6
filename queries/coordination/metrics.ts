import { Counter, Gauge, type Registry } from 'prom-client'
import { CIRCUIT_STATES, type Coordinators, type EndpointReport } from '../../domain/ports/coordinators.ts'
import type { PartyDirectory } from '../../domain/ports/party-directory.ts'
import { type PartyView, viewsOf, worstCircuit, worstScore } from './worst-view.ts'

/** Of each party, as the coordinator that thinks worst of it sees it. */
const OF_PARTIES: readonly { name: string; help: string; value(views: readonly PartyView[]): number | undefined }[] = [
  {
    name: 'quorate_party_circuit_state',
    help: '0 closed, 1 half open, 2 open.',
    value(views) {
      const worst = worstCircuit(views)
      return worst && CIRCUIT_STATES.indexOf(worst)
    },
  },
  { name: 'quorate_party_health_score', help: '0 to 1: how well it has answered of late.', value: worstScore },
  {
    name: 'quorate_party_latency_milliseconds',
    help: 'Median time of its answers of late.',
    value: (views) => most(views.flatMap(({ latencyMs }) => latencyMs ?? [])),
  },
  {
    name: 'quorate_party_timeout_milliseconds',
    help: 'How long its next answer is waited for.',
    value: (views) => most(views.map(({ timeoutMs }) => timeoutMs)),
  },
]

/** Of all coordinators together. */
const OF_COORDINATORS: readonly { name: string; help: string; value(coordinators: Pick<Coordinators, 'reports'>): number }[] = [
  { name: 'quorate_coordinators', help: 'Coordinators that were heard of lately.', value: (all) => all.reports().length },
  {
    name: 'quorate_signing_queue_depth',
    help: 'Signing sessions that wait for their turn.',
    value: (all) => sum(all.reports().map(({ queue }) => queue.depth)),
  },
  {
    name: 'quorate_signing_sessions_running',
    help: 'Signing sessions that are worked on.',
    value: (all) => sum(all.reports().map(({ running }) => running)),
  },
]

type Sample = { labels: { [label: string]: string }; value: number }
const samples = (label: string, counts: { readonly [name: string]: number }): Sample[] =>
  Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }))

/** Of each endpoint of a chain, as each coordinator sees it. */
const OF_ENDPOINTS: readonly {
  name: string
  help: string
  kind: typeof Gauge | typeof Counter
  label?: string
  samples(report: EndpointReport): readonly Sample[]
}[] = [
  {
    name: 'quorate_coordinator_rpc_endpoint_up',
    help: '0 while its circuit is open, or it is of another chain.',
    kind: Gauge,
    samples: ({ state }) => [{ labels: {}, value: Number(state === 'up') }],
  },
  {
    name: 'quorate_coordinator_rpc_calls_total',
    help: 'Requests to the endpoint; refused are those answered with an error of the chain.',
    kind: Counter,
    label: 'outcome',
    samples: ({ outcomes }) => samples('outcome', outcomes),
  },
  {
    name: 'quorate_coordinator_rpc_errors_total',
    help: "Requests that were refused or failed, by JSON-RPC's code or the endpoint's fault.",
    kind: Counter,
    label: 'code',
    samples: ({ errors }) => samples('code', errors),
  },
  {
    name: 'quorate_coordinator_rpc_call_seconds_total',
    help: 'How long requests took together.',
    kind: Counter,
    samples: ({ seconds }) => [{ labels: {}, value: seconds }],
  },
]

/** Registers gauges of the parties' circuits, the coordinators' load and how chains answer them, measured whenever they are asked for. */
export function observeCoordination(
  registry: Registry,
  { parties, coordinators }: { parties: Pick<PartyDirectory, 'ids'>; coordinators: Pick<Coordinators, 'reports'> },
): void {
  for (const { name, help, value } of OF_PARTIES) {
    new Gauge({
      name,
      help,
      labelNames: ['party'],
      registers: [registry],
      collect() {
        this.reset()
        for (const party of parties.ids) {
          const measured = value(viewsOf(coordinators, party))
          if (measured !== undefined) this.set({ party }, measured)
        }
      },
    })
  }
  for (const { name, help, value } of OF_COORDINATORS) {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value(coordinators))
      },
    })
  }
  for (const { name, help, kind: Metric, label, samples } of OF_ENDPOINTS) {
    new Metric({
      name,
      help,
      labelNames: ['coordinator', 'chain', 'endpoint', ...(label === undefined ? [] : [label])],
      registers: [registry],
      collect() {
        this.reset()
        for (const { coordinatorId: coordinator, endpoints = [] } of coordinators.reports())
          for (const report of endpoints)
            for (const { labels, value } of samples(report))
              this.inc({ coordinator, chain: report.chain, endpoint: String(report.endpoint), ...labels }, value)
      },
    })
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const most = (values: readonly number[]): number | undefined => (values.length === 0 ? undefined : Math.max(...values))

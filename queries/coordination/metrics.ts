import { Gauge, type Registry } from 'prom-client'
import { CIRCUIT_STATES, type Coordinators } from '../../domain/ports/coordinators.ts'
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

/** Registers gauges of the parties' circuits and the coordinators' load, measured whenever they are asked for. */
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
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const most = (values: readonly number[]): number | undefined => (values.length === 0 ? undefined : Math.max(...values))

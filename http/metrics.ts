/** Metrics in the Prometheus text format. */
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'

export type Metrics = {
  /** Others register their own gauges and counters here. */
  registry: Registry
  /** One answered request; `route` is the template, never the path, so that the number of series stays small. */
  observe(route: string, status: number, seconds: number): void
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const duration = new Histogram({
    name: 'quorate_http_request_duration_seconds',
    help: 'Time from request line to answer.',
    labelNames: ['route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    registers: [registry],
  })
  return { registry, observe: (route, status, seconds) => duration.observe({ route, status }, seconds) }
}

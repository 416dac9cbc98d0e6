import type { ProjectionWorkers, WorkerReport } from '../domain/ports/projections.ts'

/** The projection workers, and each of their reports as it comes. */
export interface WorkerReports extends ProjectionWorkers {
  /** Hands each report to the listener until the returned function is called. */
  listen(listener: (report: WorkerReport) => void): () => void
}

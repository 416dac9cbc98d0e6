import type { ProjectionWorkers } from '../../domain/ports/projections.ts'
import { noSuch } from '../../http/problem.ts'
import type { OpenReadModels } from '../open-read-models.ts'

/** What the operator's routes work with. */
export type OperatedProjections = {
  models: Pick<OpenReadModels, 'store' | 'freshness'>
  workers: ProjectionWorkers
  /** The projections there are, in the versions that this process knows. */
  catalogue: readonly { name: string; version: number }[]
  /** Has the workers look at the builds now, not only within the next second. */
  alertWorkers(): void
}

/** Names of projections in paths. */
export const PROJECTION_NAME = /^[a-z][a-z_]{0,63}$/

/** @throws Problem `projection_not_found` */
export function requireProjection({ catalogue }: Pick<OperatedProjections, 'catalogue'>, name: string): { name: string; version: number } {
  const found = catalogue.find((projection) => projection.name === name)
  if (!found) throw noSuch('projection')
  return found
}

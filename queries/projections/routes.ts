import type { Route } from '../../http/route.ts'
import { getProjection } from './get-projection.ts'
import { listParkedEvents } from './list-parked-events.ts'
import { listProjections } from './list-projections.ts'
import type { OperatedProjections } from './operated.ts'
import { rebuildProjection } from './rebuild-projection.ts'
import { retryParkedEvent } from './retry-parked-event.ts'

/** What an operator sees of the read models, and does to them. */
export const projectionRoutes = (operated: OperatedProjections): Route[] => [
  listProjections(operated),
  getProjection(operated),
  rebuildProjection(operated),
  listParkedEvents(operated),
  retryParkedEvent(operated),
]

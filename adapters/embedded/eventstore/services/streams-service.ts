import { createByteBudget } from '../grpc/byte-budget.ts'
import type { Handler } from '../grpc/call.ts'
import { serveAppend } from './append.ts'
import { serveBatchAppend } from './batch-append.ts'
import { serveDelete, serveTombstone } from './delete.ts'
import { streamsService } from './generated.ts'
import { serveRead } from './read.ts'
import type { Store } from './store.ts'

/** For the appends of all clients that have arrived in part. */
const ARRIVING_BYTES = 256 * 1024 * 1024

/** The service Streams: everything that is done with events but persistent subscriptions. */
export function streamsRoutes(store: Store): [path: string, Handler][] {
  const arriving = createByteBudget(ARRIVING_BYTES)
  return [
    [streamsService.append.path, serveAppend(store, arriving)],
    [streamsService.batchAppend.path, serveBatchAppend(store, arriving)],
    [streamsService.delete.path, serveDelete(store)],
    [streamsService.tombstone.path, serveTombstone(store)],
    [streamsService.read.path, serveRead(store)],
  ]
}

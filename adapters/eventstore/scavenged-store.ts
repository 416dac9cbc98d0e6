import { createRequire } from 'node:module'
import type * as OperationsService from '@eventstore/db-client/generated/operations_grpc_pb.js'
import type * as OperationsMessages from '@eventstore/db-client/generated/operations_pb.js'
import type { ScavengeResp } from '@eventstore/db-client/generated/operations_pb.js'
import { type ScavengedStore, type ScavengeOutcome, ScavengeUnderWay } from '../../domain/ports/scavenged-store.ts'
import { callOnce, closeClient, openClient } from './connection.ts'
import { asDomainError } from './errors.ts'
import { openReads, READ_PAGE } from './reads.ts'

// CommonJS that only the client package can see, so it is resolved from there.
const load = createRequire(createRequire(import.meta.url).resolve('@eventstore/db-client'))
const { OperationsClient } = load('../generated/operations_grpc_pb.js') as typeof OperationsService
const { StartScavengeReq, ScavengeResp: Answer } = load('../generated/operations_pb.js') as typeof OperationsMessages

const DEADLINE_MS = 10_000

/** What the store writes about a scavenge to this stream, and with which event it ends. */
const streamOf = (scavengeId: string) => `$scavenges-${scavengeId}`
const COMPLETED = '$scavengeCompleted'

/**
 * The service Operations of an EventStoreDB, for which the official client has no calls. A server with users wants one of `$ops` or `$admins`: that of the
 * connection string (`esdb://name:password@…`).
 */
export function connectScavengedStore(url: string): ScavengedStore {
  const client = openClient(url)
  const reads = openReads(client, { deadlineMs: DEADLINE_MS })

  return {
    async *readStored() {
      let from: bigint | undefined
      for (;;) {
        const page = await reads.all(from, READ_PAGE)
        // Reads include the position they start from.
        const fresh = page.filter(({ position }) => from === undefined || position > from)
        yield* fresh
        const last = fresh.at(-1)
        if (!last) return
        from = last.position
      }
    },

    async startScavenge() {
      const options = new StartScavengeReq.Options()
      options.setThreadCount(1)
      const request = new StartScavengeReq()
      request.setOptions(options)
      const answer = await callOnce<InstanceType<typeof OperationsClient>, ScavengeResp>(
        client,
        OperationsClient,
        'startScavenge',
        (service, metadata, call, done) => service.startScavenge(request, metadata, call, done),
      ).catch((error: unknown) => {
        throw asDomainError(error)
      })
      const id = answer.getScavengeId()
      if (answer.getScavengeResult() !== Answer.ScavengeResult.STARTED) throw new ScavengeUnderWay(id)
      return id
    },

    async outcomeOf(scavengeId) {
      const last = await reads.lastOf(streamOf(scavengeId))
      return last?.type === COMPLETED ? outcomeIn(last.data) : undefined
    },

    close: () => closeClient(client),
  }
}

function outcomeIn(data: object): ScavengeOutcome {
  const { result, error, spaceSaved } = data as { readonly [field: string]: unknown }
  return {
    result: typeof result === 'string' ? result : '',
    error: typeof error === 'string' ? error : '',
    bytesFreed: Number.isSafeInteger(spaceSaved) ? (spaceSaved as number) : 0,
  }
}

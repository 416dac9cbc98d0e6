import type {
  CreateReq,
  CreateResp,
  DeleteReq,
  DeleteResp,
  GetInfoReq,
  GetInfoResp,
  ListReq,
  ListResp,
  ReadReq,
  ReadResp,
  ReplayParkedReq,
  ReplayParkedResp,
  UpdateReq,
  UpdateResp,
} from '@eventstore/db-client/generated/persistent_pb.js'
import type { Empty } from '@eventstore/db-client/generated/shared_pb.js'
import type { handleBidiStreamingCall, handleUnaryCall } from '@grpc/grpc-js'
import { ALL, type GroupKey, settingsProblem } from '../persistent/settings.ts'
import type { PersistentSubscriptions } from '../persistent/subsystem.ts'
import { answer } from './answer.ts'
import { groupExists, groupFailed, groupNotFound } from './errors.ts'
import { persistent } from './generated.ts'
import { emptyMessage, streamName } from './mapping.ts'
import { subscriptionInfo } from './persistent-info.ts'
import { serveConsumer } from './persistent-read.ts'
import { groupKey, groupRequest } from './persistent-request.ts'
import type { Store } from './store.ts'

/** The service PersistentSubscriptions: groups of competing consumers. */
export function persistentHandlers(
  store: Store,
  groups: PersistentSubscriptions,
): {
  create: handleUnaryCall<CreateReq, CreateResp>
  update: handleUnaryCall<UpdateReq, UpdateResp>
  delete: handleUnaryCall<DeleteReq, DeleteResp>
  getInfo: handleUnaryCall<GetInfoReq, GetInfoResp>
  list: handleUnaryCall<ListReq, ListResp>
  replayParked: handleUnaryCall<ReplayParkedReq, ReplayParkedResp>
  restartSubsystem: handleUnaryCall<Empty, Empty>
  read: handleBidiStreamingCall<ReadReq, ReadResp | Buffer>
} {
  const existing = (key: GroupKey) => {
    const runner = groups.find(key)
    if (!runner) throw groupNotFound(key.source, key.name)
    return runner
  }

  return {
    create: ({ request }, callback) =>
      answer(callback, async () => {
        const { key, request: wanted } = groupRequest(request.getOptions())
        const problem = settingsProblem(wanted.settings)
        if (problem) throw groupFailed(key.source, key.name, problem)
        if (!(await groups.create(key, wanted))) throw groupExists(key.source, key.name)
        return new persistent.CreateResp()
      }),

    update: ({ request }, callback) =>
      answer(callback, async () => {
        const { key, request: wanted } = groupRequest(request.getOptions())
        existing(key)
        const problem = settingsProblem(wanted.settings)
        if (problem) throw groupFailed(key.source, key.name, problem)
        if (!(await groups.update(key, wanted))) throw groupNotFound(key.source, key.name)
        return new persistent.UpdateResp()
      }),

    delete: ({ request }, callback) =>
      answer(callback, async () => {
        const key = groupKey(request.getOptions())
        if (!(await groups.delete(key))) throw groupNotFound(key.source, key.name)
        return new persistent.DeleteResp()
      }),

    getInfo: ({ request }, callback) =>
      answer(callback, () => {
        const response = new persistent.GetInfoResp()
        response.setSubscriptionInfo(subscriptionInfo(store.log, existing(groupKey(request.getOptions()))))
        return response
      }),

    list: ({ request }, callback) =>
      answer(callback, () => {
        const only = request.getOptions()?.getListForStream()
        const source = only && (only.hasAll() ? ALL : streamName(only.getStream()))
        const found = groups.list().filter(({ key }) => source === undefined || key.source === source)
        if (source !== undefined && found.length === 0) throw groupNotFound(source, '')
        const response = new persistent.ListResp()
        response.setSubscriptionsList(found.map((runner) => subscriptionInfo(store.log, runner)))
        return response
      }),

    replayParked: ({ request }, callback) =>
      answer(callback, () => {
        const options = request.getOptions()
        existing(groupKey(options)).replayParked(options?.hasStopAt() ? Number(options.getStopAt()) : Number.POSITIVE_INFINITY)
        return new persistent.ReplayParkedResp()
      }),

    restartSubsystem: (_call, callback) =>
      answer(callback, async () => {
        await groups.restart()
        return emptyMessage()
      }),

    read: serveConsumer(groups),
  }
}

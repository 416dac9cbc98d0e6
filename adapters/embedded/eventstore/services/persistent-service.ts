import type { Handler } from '../grpc/call.ts'
import { ALL, type GroupKey, settingsProblem } from '../persistent/settings.ts'
import type { PersistentSubscriptions } from '../persistent/subsystem.ts'
import { groupExists, groupFailed, groupNotFound } from './errors.ts'
import { persistent, persistentService, shared } from './generated.ts'
import { emptyMessage, streamName } from './mapping.ts'
import { subscriptionInfo } from './persistent-info.ts'
import { serveConsumer } from './persistent-read.ts'
import { groupKey, groupRequest } from './persistent-request.ts'
import type { Store } from './store.ts'
import { unaryMessages } from './unary-messages.ts'

/** The service PersistentSubscriptions: groups of competing consumers. */
export function persistentRoutes(store: Store, groups: PersistentSubscriptions): [path: string, Handler][] {
  const existing = (key: GroupKey) => {
    const runner = groups.find(key)
    if (!runner) throw groupNotFound(key.source, key.name)
    return runner
  }

  const create = unaryMessages(persistent.CreateReq, async (request) => {
    const { key, request: wanted } = groupRequest(request.getOptions())
    const problem = settingsProblem(wanted.settings)
    if (problem) throw groupFailed(key.source, key.name, problem)
    if (!(await groups.create(key, wanted))) throw groupExists(key.source, key.name)
    return new persistent.CreateResp()
  })

  const update = unaryMessages(persistent.UpdateReq, async (request) => {
    const { key, request: wanted } = groupRequest(request.getOptions())
    existing(key)
    const problem = settingsProblem(wanted.settings)
    if (problem) throw groupFailed(key.source, key.name, problem)
    if (!(await groups.update(key, wanted))) throw groupNotFound(key.source, key.name)
    return new persistent.UpdateResp()
  })

  const remove = unaryMessages(persistent.DeleteReq, async (request) => {
    const key = groupKey(request.getOptions())
    if (!(await groups.delete(key))) throw groupNotFound(key.source, key.name)
    return new persistent.DeleteResp()
  })

  const getInfo = unaryMessages(persistent.GetInfoReq, (request) => {
    const response = new persistent.GetInfoResp()
    response.setSubscriptionInfo(subscriptionInfo(store.log, existing(groupKey(request.getOptions()))))
    return response
  })

  const list = unaryMessages(persistent.ListReq, (request) => {
    const only = request.getOptions()?.getListForStream()
    const source = only && (only.hasAll() ? ALL : streamName(only.getStream()?.getStreamName_asU8()))
    const found = groups.list().filter(({ key }) => source === undefined || key.source === source)
    if (source !== undefined && found.length === 0) throw groupNotFound(source, '')
    const response = new persistent.ListResp()
    response.setSubscriptionsList(found.map((runner) => subscriptionInfo(store.log, runner)))
    return response
  })

  const replayParked = unaryMessages(persistent.ReplayParkedReq, (request) => {
    const options = request.getOptions()
    existing(groupKey(options)).replayParked(options?.hasStopAt() ? Number(options.getStopAt()) : Number.POSITIVE_INFINITY)
    return new persistent.ReplayParkedResp()
  })

  const restartSubsystem = unaryMessages(shared.Empty, async () => {
    await groups.restart()
    return emptyMessage()
  })

  return [
    [persistentService.create.path, create],
    [persistentService.update.path, update],
    [persistentService.delete.path, remove],
    [persistentService.getInfo.path, getInfo],
    [persistentService.list.path, list],
    [persistentService.replayParked.path, replayParked],
    [persistentService.restartSubsystem.path, restartSubsystem],
    [persistentService.read.path, serveConsumer(groups)],
  ]
}

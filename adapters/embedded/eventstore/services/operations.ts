import type { Handler } from '../grpc/call.ts'
import type { Scavenger } from '../scavenging/scavenger.ts'
import { BadRequest, scavengeNotFound } from './errors.ts'
import { operations, operationsService } from './generated.ts'
import { unaryMessages } from './unary-messages.ts'

const { STARTED, INPROGRESS, STOPPED } = operations.ScavengeResp.ScavengeResult

/** Of the service Operations what is about scavenging; what else it has is about clusters. */
export function operationsRoutes(scavenger: Scavenger): [path: string, Handler][] {
  const start = unaryMessages(operations.StartScavengeReq, async (request) => {
    const options = request.getOptions()
    if (!options) throw new BadRequest('the options are missing')
    const { id, isNew } = await scavenger.start({ startFromChunk: options.getStartFromChunk(), threads: options.getThreadCount() })
    return answer(id, isNew ? STARTED : INPROGRESS)
  })

  const stop = unaryMessages(operations.StopScavengeReq, async (request) => {
    const id = request.getOptions()?.getScavengeId() ?? ''
    const stopped = await scavenger.stop(id)
    if (stopped === undefined) throw scavengeNotFound(id)
    return answer(stopped, STOPPED)
  })

  return [
    [operationsService.startScavenge.path, start],
    [operationsService.stopScavenge.path, stop],
  ]
}

function answer(id: string, result: 0 | 1 | 2) {
  const response = new operations.ScavengeResp()
  response.setScavengeId(id)
  response.setScavengeResult(result)
  return response
}

import type { Handler } from '../grpc/call.ts'
import { frame } from '../grpc/messages.ts'
import { oneRequest } from '../grpc/one-request.ts'
import type { Log } from '../log/log.ts'
import { decoded } from './decoded.ts'
import { monitoring, monitoringService } from './generated.ts'
import { answerStepwise, type Step } from './stepwise.ts'

const LEAST_PERIOD_MS = 100

/** Figures about the process and the log, again and again until the caller leaves. */
export function monitoringRoutes(log: Log): [path: string, Handler][] {
  const stats = oneRequest((message, call) => {
    const period = Number(decoded(monitoring.StatsReq.deserializeBinary, message).getRefreshTimePeriodInMs())
    const answering = answerStepwise(call, figures(log))
    const timer = setInterval(answering.wake, Math.max(LEAST_PERIOD_MS, period))
    return {
      drained: answering.drained,
      closed() {
        clearInterval(timer)
        answering.closed()
      },
    }
  })
  return [[monitoringService.stats.path, stats]]
}

function* figures(log: Log): Generator<Step> {
  for (;;) {
    const { rss, heapUsed } = process.memoryUsage()
    const response = new monitoring.StatsResp()
    const stats = response.getStatsMap()
    stats.set('proc-mem', String(rss))
    stats.set('proc-gc-totalBytesInHeaps', String(heapUsed))
    stats.set('proc-startTime', new Date(Date.now() - process.uptime() * 1000).toISOString())
    stats.set('es-writer-lastFlushedPosition', String(log.head()))
    yield frame(response.serializeBinary())
    yield 'wait'
  }
}

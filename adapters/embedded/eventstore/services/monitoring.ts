import type { StatsReq, StatsResp } from '@eventstore/db-client/generated/monitoring_pb.js'
import type { handleServerStreamingCall } from '@grpc/grpc-js'
import type { Log } from '../log/log.ts'
import { monitoring } from './generated.ts'

const LEAST_PERIOD_MS = 100

/** Figures about the process and the log, again and again until the caller leaves. */
export function monitoringHandlers(log: Log): { stats: handleServerStreamingCall<StatsReq, StatsResp> } {
  return {
    stats(call) {
      const send = () => {
        const { rss, heapUsed } = process.memoryUsage()
        const response = new monitoring.StatsResp()
        const stats = response.getStatsMap()
        stats.set('proc-mem', String(rss))
        stats.set('proc-gc-totalBytesInHeaps', String(heapUsed))
        stats.set('proc-startTime', new Date(Date.now() - process.uptime() * 1000).toISOString())
        stats.set('es-writer-lastFlushedPosition', String(log.head()))
        if (!call.write(response)) {
          clearInterval(timer)
          call.once('drain', () => {
            timer = setInterval(send, period)
          })
        }
      }
      const period = Math.max(LEAST_PERIOD_MS, Number(call.request.getRefreshTimePeriodInMs()))
      let timer = setInterval(send, period)
      call.once('cancelled', () => clearInterval(timer))
      send()
    },
  }
}

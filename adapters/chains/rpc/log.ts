import type { Logger } from 'pino'
import type { RpcObserver } from './endpoint.ts'

/** Logs which endpoints are lost and found again; single calls are not worth a line. */
export const rpcLog = (logger: Pick<Logger, 'info' | 'warn'>): RpcObserver => ({
  called: () => {},
  changed: (chain, endpoint, state) =>
    logger[state === 'up' ? 'info' : 'warn']({ chain, endpoint, state }, `an endpoint of ${chain} is ${state}`),
})

import { InvalidSetting } from '../../process/settings.ts'
import { fieldsOf, wholeNumber } from '../setting-fields.ts'

/** How the endpoints of a chain are asked. */
export type RpcSettings = {
  /** For one request, until the last byte of its answer. */
  readonly timeoutMs: number
  /** For all that is asked for one purpose, with every endpoint and every further try. */
  readonly deadlineMs: number
  /** How many more times all endpoints are tried when none has answered. */
  readonly retries: number
  readonly maxResponseBytes: number
  /** Requests to one endpoint that may be under way at once; others wait for their turn. */
  readonly concurrency: number
  readonly breaker: BreakerSettings
}

/** An endpoint is left alone for `pauseMs` once more than `failureRate` of at least `minimumCalls` in `windowMs` have failed. */
export type BreakerSettings = {
  readonly failureRate: number
  readonly windowMs: number
  readonly minimumCalls: number
  readonly pauseMs: number
}

export const RPC_DEFAULTS: RpcSettings = {
  timeoutMs: 10_000,
  deadlineMs: 30_000,
  retries: 2,
  maxResponseBytes: 32 * 2 ** 20,
  concurrency: 32,
  breaker: { failureRate: 0.3, windowMs: 30_000, minimumCalls: 5, pauseMs: 10_000 },
}

const RANGES: { readonly [field: string]: readonly [least: number, most: number] } = {
  timeoutMs: [10, 120_000],
  deadlineMs: [10, 600_000],
  retries: [0, 10],
  maxResponseBytes: [1_024, 2 ** 30],
  concurrency: [1, 10_000],
  windowMs: [1_000, 3_600_000],
  minimumCalls: [1, 10_000],
  pauseMs: [10, 3_600_000],
}

/** @throws InvalidSetting naming the field, with `name` in front */
export function readRpcSettings(name: string, value: unknown): RpcSettings {
  const { breaker = {}, ...numbers } = fieldsOf(name, value, [
    'timeoutMs',
    'deadlineMs',
    'retries',
    'maxResponseBytes',
    'concurrency',
    'breaker',
  ])
  const { failureRate, ...others } = fieldsOf(`${name}.breaker`, breaker, ['failureRate', 'windowMs', 'minimumCalls', 'pauseMs'])
  return {
    ...RPC_DEFAULTS,
    ...wholeNumbers(name, numbers),
    breaker: { ...RPC_DEFAULTS.breaker, ...rate(`${name}.breaker`, failureRate), ...wholeNumbers(`${name}.breaker`, others) },
  }
}

function rate(name: string, failureRate: unknown): { failureRate?: number } {
  if (failureRate === undefined) return {}
  if (typeof failureRate !== 'number' || failureRate < 0.01 || failureRate > 0.99)
    throw new InvalidSetting(`${name}: failureRate must be a number from 0.01 to 0.99`)
  return { failureRate }
}

function wholeNumbers(name: string, fields: { readonly [field: string]: unknown }): { [field: string]: number } {
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, wholeNumber(name, field, value, ...RANGES[field]!)]))
}

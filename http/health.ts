/** Whether the process is ready to work: everything it depends on answers. */
import type { Logger } from 'pino'

const CHECK_TIMEOUT_MS = 2_000

/** Resolves when the dependency works. */
export type ReadinessCheck = { name: string; check(): Promise<void> }

export type Readiness = { status: 'ready' | 'not_ready'; checks: readonly { name: string; status: 'ok' | 'failing' }[] }

/** Runs all checks, each within a bound. Callers that ask meanwhile share the answer. */
export function readiness(checks: readonly ReadinessCheck[], logger: Logger): () => Promise<Readiness> {
  let underWay: Promise<Readiness> | undefined
  return () => {
    underWay ??= runChecks(checks, logger).finally(() => {
      underWay = undefined
    })
    return underWay
  }
}

async function runChecks(checks: readonly ReadinessCheck[], logger: Logger): Promise<Readiness> {
  const results = await Promise.all(
    checks.map(async ({ name, check }) => {
      try {
        await within(CHECK_TIMEOUT_MS, check())
        return { name, status: 'ok' as const }
      } catch (error) {
        logger.info({ check: name, reason: error instanceof Error ? error.message : String(error) }, 'readiness check failed')
        return { name, status: 'failing' as const }
      }
    }),
  )
  return { status: results.every(({ status }) => status === 'ok') ? 'ready' : 'not_ready', checks: results }
}

async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** One webhook, which one of several instances serves at a time. */
import { WrongExpectedRevision } from '../domain/ports/event-log.ts'
import type { StoredProgress } from '../domain/ports/webhook-records.ts'
import { openRun, type Run, type RunOptions } from './run.ts'
import { pause } from './wake-up.ts'

export type EndpointOptions = RunOptions & { onFailure(error: unknown): void }
export type Endpoint = Run

const RETRY_AFTER_MS = 1_000

/** Delivers until the signal aborts. Whatever goes wrong, it begins again from what is stored. */
export function startEndpoint(options: EndpointOptions): Endpoint {
  const { webhook, records, signal, onFailure } = options
  let current: Run | undefined
  let heardOf: bigint | undefined
  const keepRunning = async () => {
    while (!signal.aborted) {
      try {
        const stored = await records.readProgress(webhook.webhookId)
        const takenMs = stored?.revision === heardOf ? 0 : takenFor(stored, options)
        heardOf = stored?.revision
        if (takenMs > 0) await pause(takenMs, signal)
        else {
          current = openRun(options, stored)
          await current.ended
        }
      } catch (error) {
        // Another instance was first: it is left alone until it ends.
        if (error instanceof WrongExpectedRevision || signal.aborted) continue
        onFailure(error)
        await pause(RETRY_AFTER_MS, signal)
      }
    }
  }
  return { waiting: () => current?.waiting() ?? 0, look: () => current?.look(), ended: keepRunning() }
}

/** For how long another instance has the webhook to itself, if nothing is heard of it meanwhile: no longer than a claim lasts, whatever its clock says. */
function takenFor(stored: StoredProgress | undefined, { owner, claimMs }: Pick<EndpointOptions, 'owner' | 'claimMs'>): number {
  const claim = stored?.progress.claim
  return claim && claim.owner !== owner ? Math.min(Math.max(0, claim.until - Date.now()), claimMs) : 0
}

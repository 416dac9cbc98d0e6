import type { CeremonyAttempt } from '../../domain/ceremony/messages.ts'
import type { Messages } from '../../domain/ports/messages.ts'

export type Step = 'started' | 'round_completed' | 'attempt_failed' | 'completed' | 'failed'

/** Tells whoever watches, on `quorate.progress.<ceremonyId>`, how a ceremony goes; nothing that the log does not say for good. */
export type Progress = (at: Pick<CeremonyAttempt, 'kind' | 'ceremonyId' | 'attempt'>, step: Step, round?: number) => void

export function publishProgress(messages: Pick<Messages, 'publish'>): Progress {
  return ({ kind, ceremonyId, attempt }, step, round) => {
    const report = { kind, ceremonyId, attempt, step, ...(round === undefined ? {} : { round }) }
    messages.publish(`quorate.progress.${ceremonyId}`, new TextEncoder().encode(JSON.stringify(report)))
  }
}

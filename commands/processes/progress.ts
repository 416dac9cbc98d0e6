import type { CeremonyAttempt } from '../../domain/ceremony/messages.ts'
import type { Messages } from '../../domain/ports/messages.ts'

/** `attempt` is left out when it is the ceremony as a whole that has ended. */
export type ProgressOf = Pick<CeremonyAttempt, 'kind' | 'ceremonyId'> & Partial<Pick<CeremonyAttempt, 'attempt'>>

export type Step = 'started' | 'round_completed' | 'attempt_failed' | 'completed' | 'failed'

/** Tells whoever watches, on `quorate.progress.<ceremonyId>`, how a ceremony goes; nothing that the log does not say for good. */
export type Progress = (at: ProgressOf, step: Step, round?: number) => void

export function publishProgress(messages: Pick<Messages, 'publish'>): Progress {
  return ({ kind, ceremonyId, attempt }, step, round) => {
    messages.publish(`quorate.progress.${ceremonyId}`, new TextEncoder().encode(JSON.stringify({ kind, ceremonyId, attempt, step, round })))
  }
}

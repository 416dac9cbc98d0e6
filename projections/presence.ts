import type { Messages } from '../domain/ports/messages.ts'
import type { WorkerReport } from '../domain/ports/projections.ts'

/** How workers hear of each other, and of operators. Nothing depends on a message arriving. */
export type Presence = {
  say(report: WorkerReport): void
  /** Each report of any worker, this one's too, until the returned function is called. */
  hear(listener: (report: WorkerReport) => void): () => void
  /** Somebody has changed something about builds, and wants it noticed at once. */
  onCall(listener: () => void): () => void
}

/** Presence on `quorate.projections.<workerId>`, where `hear` parses what others say, and calls on `quorate.projections.look`. */
export function presence(messages: Pick<Messages, 'publish' | 'subscribe'>, hear: Presence['hear']): Presence {
  return {
    say: (report) => messages.publish(`quorate.projections.${report.workerId}`, Buffer.from(JSON.stringify(report))),
    hear,
    onCall: (listener) => messages.subscribe('quorate.projections.look', listener),
  }
}

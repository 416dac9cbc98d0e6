/** What the outside must provide to keep what webhooks have been sent: durable, and bounded for each. */
import type { DeliveryStatus } from '../webhook/events.ts'

/** The first event of a stream of the log that has not been delivered; those after it in the same stream wait for it. */
export type WaitingStream = {
  stream: string
  /** Of the event, decimal. */
  revision: string
  /** Deliveries of it that have failed. */
  attempts: number
  /** Times in ms since the epoch: of the first attempt, null before it, and of the next. */
  since: number | null
  dueAt: number
}

/**
 * How far a webhook's deliveries are: every event up to the position has arrived, was given up, or waits. `claim` says which instance is at work on it, and until
 * when nobody else is; null when there is nothing to do.
 */
export type Progress = {
  claim: { owner: string; until: number } | null
  /** Decimal. */
  through: string
  /** When the first delivery failed since one has last succeeded, ms since the epoch. */
  failingSince: number | null
  /** Until when the receiver has asked to be left alone, ms since the epoch; in the past when it has not. */
  leftAloneUntil: number
  waiting: readonly WaitingStream[]
  /** How far each resend is that is under way, by its id. */
  resends: { readonly [resendId: string]: ResendProgress }
}

/** Everything up to the position has been sent once more; `failing` tells of the event after it, times in ms since the epoch: of the first attempt, and of the next. */
export type ResendProgress = {
  through: string | null
  delivered: number
  failed: number
  failing: { attempts: number; since: number; dueAt: number } | null
}

/** One attempt to deliver an event. */
export type DeliveryAttempt = {
  eventId: string
  type: string
  stream: string
  /** Decimal. */
  revision: string
  /** In the log, decimal. */
  position: string
  /** When the event happened, RFC 3339. */
  time: string
  /** 1 for the first. */
  attempt: number
  /** RFC 3339. */
  at: string
  latencyMs: number
  /** How the delivery stands after it. */
  status: DeliveryStatus
  /** What the receiver answered; null when it did not. */
  responseStatus: number | null
  /** Why it failed; null when it did not. */
  code: string | null
  /** RFC 3339. */
  nextAttemptAt: string | null
  /** Of which resend it was part. */
  resendId: string | null
}

/** Each method @throws Unavailable */
export interface WebhookRecords {
  /** Undefined before it was first stored. */
  readProgress(webhookId: string): Promise<StoredProgress | undefined>
  /**
   * Replaces what was read at the revision (undefined: nothing was there), and returns the new one.
   * @throws WrongExpectedRevision when another instance has stored something since
   */
  writeProgress(webhookId: string, progress: Progress, expected: bigint | undefined): Promise<bigint>
  addAttempts(webhookId: string, attempts: readonly DeliveryAttempt[]): Promise<void>
  /** The latest attempts, the oldest first. */
  readAttempts(webhookId: string): Promise<readonly DeliveryAttempt[]>
}

export type StoredProgress = { revision: bigint; progress: Progress }

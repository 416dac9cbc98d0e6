/** The durable record of what one webhook has been sent, which one instance writes at a time. */
import type { DeliveryAttempt, Progress, StoredProgress, WebhookRecords } from '../domain/ports/webhook-records.ts'

export type RecordOptions = {
  webhookId: string
  records: WebhookRecords
  /** Of this instance. */
  owner: string
  claimMs: number
  stored: StoredProgress | undefined
  /** As it is now. */
  progress(): Omit<Progress, 'claim'>
  /** Whether anything is under way or waits. */
  isAtWork(): boolean
}

export type DeliveryRecord = {
  /** Resolves once the webhook is this instance's for a while: nothing is sent before. @throws WrongExpectedRevision when it is another's, Unavailable */
  claim(): Promise<void>
  add(attempt: DeliveryAttempt): void
  /** Something that is to be stored has changed. */
  touch(): void
  /** Stores what has changed, keeps the claim while there is work, and gives it up when there is none. @throws WrongExpectedRevision, Unavailable */
  keep(): Promise<void>
  /** Stores the last of it, and gives up the claim. @throws WrongExpectedRevision, Unavailable */
  close(): Promise<void>
}

/** That events have been passed which the webhook does not want is stored so often. */
const PASSING_EVERY_MS = 10 * 60_000

export function deliveryRecord({ webhookId, records, owner, claimMs, stored, progress, isAtWork }: RecordOptions): DeliveryRecord {
  let revision = stored?.revision
  let savedThrough = stored?.progress.through
  let savedAt = Date.now()
  let claimedUntil = 0
  let isChanged = false
  let attempts: DeliveryAttempt[] = []
  let storing = Promise.resolve()
  let claiming: Promise<void> | undefined

  const store = async (claim: Progress['claim']) => {
    const added = attempts
    const now = progress()
    attempts = []
    isChanged = false
    await records.addAttempts(webhookId, added)
    revision = await records.writeProgress(webhookId, { claim, ...now }, revision)
    claimedUntil = claim?.until ?? 0
    savedThrough = now.through
    savedAt = Date.now()
  }

  /** One after the other: each goes on from the revision of the one before. */
  const save = (isClaimed: boolean) => {
    storing = storing.then(() => store(isClaimed ? { owner, until: Date.now() + claimMs } : null))
    return storing
  }

  const isAging = () => claimedUntil - Date.now() < claimMs / 2

  return {
    async claim() {
      if (!isAging()) return
      claiming ??= save(true).finally(() => {
        claiming = undefined
      })
      await claiming
    },
    add(attempt) {
      attempts.push(attempt)
      isChanged = true
    },
    touch() {
      isChanged = true
    },
    async keep() {
      const isIdle = !isAtWork()
      const isPassing = savedThrough !== progress().through && Date.now() - savedAt >= PASSING_EVERY_MS
      if (isChanged || isPassing || (claimedUntil > 0 && (isIdle || isAging()))) await save(!isIdle)
    },
    async close() {
      if (isChanged || claimedUntil > 0 || savedThrough !== progress().through) await save(false)
    },
  }
}

import { setTimeout as delay } from 'node:timers/promises'

const EVERY_MS = 20

/** Resolves once the condition holds. @throws what `complaint` says when it does not in time */
export async function until(condition: () => boolean | Promise<boolean>, complaint: () => string, withinMs: number): Promise<void> {
  for (const end = Date.now() + withinMs; !(await condition()); await delay(EVERY_MS)) {
    if (Date.now() > end) throw new Error(`${complaint()}, after ${withinMs} ms`)
  }
}

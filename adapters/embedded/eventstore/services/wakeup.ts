/** Remembers that something happened until somebody waits for it. */
export type Wakeup = { ring(): void; rung(): Promise<void> }

export function createWakeup(): Wakeup {
  let pending = false
  let waiting: (() => void) | undefined
  return {
    ring() {
      pending = true
      waiting?.()
      waiting = undefined
    },
    async rung() {
      if (!pending)
        await new Promise<void>((resolve) => {
          waiting = resolve
        })
      pending = false
    },
  }
}

/** The answering side of a call that streams. */
export type WritableCall<Message> = {
  readonly cancelled: boolean
  write(message: Message): boolean
  once(event: 'drain' | 'cancelled', listener: () => void): unknown
  removeListener(event: 'drain' | 'cancelled', listener: () => void): unknown
}

export type Sink<Message> = {
  /** Waits, when the reader does not keep up. @throws Cancelled when it has gone */
  write(message: Message): Promise<void> | undefined
  /** Lets other work have its turn. @throws Cancelled */
  turn(): Promise<void>
  /** Settles when `happened` does. @throws Cancelled */
  until(happened: Promise<unknown>): Promise<void>
  /** Whether a write is waiting. */
  blocked(): boolean
}

/** The caller has gone; whatever was done for it can stop. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

export function createSink<Message>(call: WritableCall<Message>): Sink<Message> {
  let waiting = false
  const gone = () => new Cancelled('the call was cancelled')

  /** Rejects when the call ends first, and leaves no listener behind. */
  function until(subscribe: (done: () => void) => () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (call.cancelled) {
        reject(gone())
        return
      }
      const finish = (settle: () => void) => () => {
        unsubscribe()
        call.removeListener('cancelled', cancelled)
        settle()
      }
      const cancelled = finish(() => reject(gone()))
      call.once('cancelled', cancelled)
      const unsubscribe = subscribe(finish(resolve))
    })
  }

  const drained = () =>
    until((done) => {
      call.once('drain', done)
      return () => call.removeListener('drain', done)
    })

  return {
    write(message) {
      if (call.cancelled) throw gone()
      if (call.write(message)) return undefined
      waiting = true
      return drained().finally(() => {
        waiting = false
      })
    },
    turn: () =>
      until((done) => {
        const timer = setImmediate(done)
        return () => clearImmediate(timer)
      }),
    until: (happened) =>
      until((done) => {
        let open = true
        happened.then(() => open && done())
        return () => {
          open = false
        }
      }),
    blocked: () => waiting,
  }
}

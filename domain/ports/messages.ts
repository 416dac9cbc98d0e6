/** What the outside must provide to carry messages between processes (NATS, real or embedded). */

/** Nobody listens on the subject: the party is down. */
export class NoResponders extends Error {
  override readonly name = 'NoResponders'
  constructor(readonly subject: string) {
    super(`nobody answers on ${subject}`)
  }
}

/** Somebody may listen, but the answer did not come in time. */
export class RequestTimeout extends Error {
  override readonly name = 'RequestTimeout'
  constructor(
    readonly subject: string,
    readonly milliseconds: number,
  ) {
    super(`no answer on ${subject} within ${milliseconds} ms`)
  }
}

export type Handler = (payload: Uint8Array, subject: string) => Promise<Uint8Array>

export interface Messages {
  /** @throws NoResponders, RequestTimeout, Unavailable */
  request(subject: string, payload: Uint8Array, options: { timeoutMs: number; signal?: AbortSignal }): Promise<Uint8Array>

  /** Answers requests on the subject until the returned function is called. Handlers run concurrently. */
  serve(subject: string, handler: Handler): () => Promise<void>

  publish(subject: string, payload: Uint8Array): void

  /** Calls the listener for each message on the subject (wildcards allowed) until the returned function is called. */
  subscribe(subject: string, listener: (payload: Uint8Array, subject: string) => void): () => void

  /** Resolves when the broker answers. @throws Unavailable */
  ping(): Promise<void>

  close(): Promise<void>
}

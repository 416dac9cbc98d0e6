/** Where events come from: one stream, or the log of all of them, there only streams with the prefix when one is given. */
export type Source = { stream: string } | { prefix?: string; after?: bigint }

/** What is measured: calls of the official client, as its users make them. Nothing that is read is kept. */
export type StoreClient = {
  /** Appends events of 256 bytes with these ids, whatever revision the stream is at; the classic call is the one made with credentials. */
  append(stream: string, ids: readonly string[], call?: 'batch' | 'classic'): Promise<void>
  /** Resolves to how many events were read. */
  read(source: Source, options: { direction: 'forwards' | 'backwards'; from?: bigint; limit: number }): Promise<number>
  /** Reads from the stream's beginning and decodes nothing, so that the client is not the slower part. */
  readUndecoded(stream: string, limit: number): Promise<number>
  firstPosition(stream: string): Promise<bigint>
  /** Subscribes from the beginning and leaves after so many events. */
  catchUp(source: Source, events: number): Promise<void>
  /** Subscribes to what comes from now on; resolves when the server has confirmed it, to what ends it. */
  subscribe(source: Source, onEvent: (id: string) => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

/** What the outside must provide to bring ceremony messages to parties and back. */
import type { CeremonyReply, CeremonyRequest, Header } from '../ceremony/messages.ts'

/** What came back is no answer to what was asked: malformed, of another ceremony, or from somebody else. */
export class InvalidReply extends Error {
  override readonly name = 'InvalidReply'
}

/** What came back is not signed by the party that was asked. Somebody on the way has made it: it proves nothing against the party. */
export class ForgedReply extends InvalidReply {}

/** The coordinator's end. */
export interface PartyChannel {
  /** A party's refusal is an answer. @throws NoResponders, RequestTimeout, InvalidReply, ForgedReply, Unavailable */
  ask(header: Omit<Header, 'from'>, request: CeremonyRequest, options: { timeoutMs: number; signal?: AbortSignal }): Promise<CeremonyReply>

  /** Resolves when whoever carries the messages answers. @throws Unavailable */
  reachable(): Promise<void>
}

/** How long before or after a request was made, by the clocks of both, a party listens to it. */
export const GOOD_FOR_MS = 30_000

/**
 * A request as it came; `digest` is the SHA-256 of its content as sent, without the header. `id` is another one for each request that is made, also when it says
 * the same as one before, and the same one when it comes again.
 */
export type Asked<Request extends CeremonyRequest = CeremonyRequest> = { id: string; header: Header; request: Request; digest: Uint8Array }

/** A party's end. */
export interface PartyEndpoint {
  /** Answers what is addressed to the party until the returned function is called. What is not well-formed never reaches the handler. */
  serve(partyId: string, handler: (asked: Asked) => Promise<CeremonyReply>): () => Promise<void>
}

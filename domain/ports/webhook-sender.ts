/** What the outside must provide to reach the receivers of webhooks. */

/** Why a request came to nothing, before any answer. */
export type SendFailure =
  /** The address is private, or of this machine, and those are not allowed. */
  'address_not_allowed' | 'name_not_resolved' | 'connection_failed' | 'tls_failed' | 'timed_out'

/** `retryAfterMs` is what the receiver asks for, unbounded. */
export type SendOutcome = { status: number; retryAfterMs?: number | undefined } | { failure: SendFailure }

export interface WebhookSender {
  /** Posts the body once; follows nothing, and reads no more than the status. Never throws. */
  send(url: string, headers: { readonly [name: string]: string }, body: string, signal: AbortSignal): Promise<SendOutcome>
  close(): void
}

/** Why nothing is sent to an address; undefined when it may be. A name that cannot be resolved now may be later. */
export type CheckWebhookUrl = (url: string) => Promise<string | undefined>

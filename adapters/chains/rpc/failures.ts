/** The answer of a node is an error: it has been asked, and does not. */
export class RpcRefusal extends Error {
  override readonly name = 'RpcRefusal'
  constructor(
    /** That of JSON-RPC. */
    readonly code: number,
    /** The node's words, shortened, without what its URL says. */
    message: string,
    readonly data: unknown,
    /** An endpoint that was asked before, and did not answer, may have done it. */
    readonly mayBeDone = false,
  ) {
    super(message)
  }
}

export type EndpointFault =
  | 'unreachable'
  | 'timeout'
  | 'http_status'
  | 'malformed_answer'
  | 'answer_too_long'
  | 'rate_limited'
  /** It answers, but says that it cannot just now: it is behind, or has thrown away what is asked for. */
  | 'unable'
  | 'wrong_chain'
  /** Too many wait for their turn with it. */
  | 'overloaded'
  /** It has failed too often and is left alone for a while. */
  | 'circuit_open'
  | 'closed'

/** An endpoint did not answer what was asked; another one may. */
export class EndpointFailure extends Error {
  override readonly name = 'EndpointFailure'
  constructor(
    readonly fault: EndpointFault,
    /** Whether it may have done what it was asked all the same. */
    readonly mayBeDone: boolean,
    /** How long it wants to be left alone. */
    readonly retryAfterMs = 0,
  ) {
    super(fault)
  }
}

/** What the outside must provide to know how the coordinators see the parties, and how much they have to do. */

export const CIRCUIT_STATES = ['closed', 'half_open', 'open'] as const
/** `closed`: asked like any other. `open`: not asked while others suffice. `half_open`: one request will show. */
export type CircuitState = (typeof CIRCUIT_STATES)[number]

/** A party as one coordinator sees it. */
export type PartyReport = {
  partyId: string
  circuit: CircuitState
  /** RFC 3339; null unless open. */
  openUntil: string | null
  failuresInARow: number
  /** 0 to 1. */
  score: number
  /** Median of its answers of late; null before the first. */
  latencyMs: number | null
  /** How long its next answer is waited for. */
  timeoutMs: number
}

export const ENDPOINT_STATES = ['up', 'down', 'wrong_chain'] as const
/** `down`: its circuit is open. */
export type EndpointState = (typeof ENDPOINT_STATES)[number]

/** An endpoint of a chain as one coordinator sees it, since that began. It is named by its place in the settings, as its URL may hold a key. */
export type EndpointReport = {
  chain: string
  endpoint: number
  state: EndpointState
  /** Requests by what came of them, and how long they took together. */
  outcomes: { answered: number; refused: number; failed: number; rate_limited: number }
  seconds: number
  /** How often by code: that of JSON-RPC for what the chain refused, else what was wrong with the endpoint. */
  errors: { readonly [code: string]: number }
}

/** What each coordinator publishes on `quorate.coordinators.<coordinatorId>`, signed, every second and whenever a circuit changes. */
export type CoordinatorReport = {
  coordinatorId: string
  startedAt: string
  leaving: boolean
  parties: readonly PartyReport[]
  /** Signing sessions that wait for their turn, and how many may. */
  queue: { depth: number; capacity: number }
  /** Signing sessions worked on. */
  running: number
  /** Absent where nothing is said of them. */
  endpoints?: readonly EndpointReport[]
}

/** Where in the party's stream an operator's order to close its circuit stands. */
export type ClosureOrder = { partyId: string; revision: bigint }

/** What has become of an operator's order to close a circuit. */
export type ForcedClosure = {
  circuits: readonly { coordinatorId: string; circuit: CircuitState }[]
  /** Coordinators that were heard of lately and have not answered. */
  silent: readonly string[]
}

/** The coordinators that were heard of lately. */
export interface Coordinators {
  reports(): readonly CoordinatorReport[]
  /** Hands each report to the listener as it comes, until the returned function is called. */
  listen(listener: (report: CoordinatorReport) => void): () => void
  /** Tells every coordinator of the order. @throws Unavailable when none answers */
  forceClose(order: ClosureOrder): Promise<ForcedClosure>
}

/**
 * What every threshold signature protocol looks like from outside: rounds in, messages out. Nothing here does I/O, reads a clock or makes
 * its own randomness. Messages are opaque bytes; who carries, signs, seals and stores them knows no protocol by name.
 */

/** A participant's number within one key, 1 … parties. */
export type PartyIndex = number

/** Any `threshold` of the `parties` participants can sign; fewer learn nothing. With a threshold of 1 every share is as good as the key. */
export type Threshold = { readonly threshold: number; readonly parties: number }

/** Cryptographically secure random bytes, as many as asked for. */
export type RandomBytes = (length: number) => Uint8Array

/** Bytes by participant. */
export type ByParty = ReadonlyMap<PartyIndex, Uint8Array>

/**
 * What one participant says in a round: the same to everybody, and something to each of some others that nobody else may read. Whoever
 * sends it seals it, and wipes what has been sealed.
 */
export type Outgoing = { readonly broadcast: Uint8Array; readonly secret: ByParty }

/**
 * What one participant hears in a round. `broadcasts` holds those of every participant, its own included, so that all are handed the same
 * map and each can see that its own words arrived unchanged. `secrets` holds what the others addressed to this one, by sender.
 */
export type Incoming = { readonly broadcasts: ByParty; readonly secrets: ByParty }

export type Step<Result> = { readonly kind: 'message'; readonly outgoing: Outgoing } | { readonly kind: 'done'; readonly result: Result }

/** One participant's side of one ceremony. After it has thrown, finished or been destroyed it answers nothing any more. */
export type Participant<Result> = {
  /** What it says in the first round. */
  readonly opening: Outgoing
  /** Takes what was said in the round before. @throws ProtocolAbort */
  next(incoming: Incoming): Step<Result>
  /** Forgets its secrets, finished or not. */
  destroy(): void
}

/**
 * What a finished key generation leaves with one participant. Only `share` is secret: it is to be kept sealed. It also pins the public
 * package, so that a package swapped under it is noticed.
 */
export type KeyMaterial = { readonly share: Uint8Array; readonly publicPackage: Uint8Array; readonly publicKey: Uint8Array }

/** What a signature is made with; the public package must be the one the share was generated with. The share is wiped when the call that is given it returns. */
export type SigningKey = Pick<KeyMaterial, 'share' | 'publicPackage'>

/**
 * What is to be signed, by whom (the participants of the first round that go on to the second), and with which of the keys that derive from
 * the stored one: the indices of its path, none for the stored key itself.
 */
export type SigningTask = {
  readonly key: SigningKey
  readonly path: readonly number[]
  readonly signers: readonly PartyIndex[]
  readonly message: Uint8Array
}

/**
 * What one signer holds of one signature to come: nonces, single-use, never stored. The signers open before there need be a message, so this can be
 * done ahead and kept (in memory only).
 */
export type Opened = {
  /** What everybody who signs along, and the coordinator, has to be told. */
  readonly broadcast: Uint8Array
  /**
   * This signer's part of the signature, which the coordinator combines. Works once, also when it throws. `broadcasts` are those of all signers, its
   * own included. @throws ProtocolAbort
   */
  contribute(task: SigningTask, broadcasts: ByParty): Uint8Array
  destroy(): void
}

/** Each signer opens by itself, whoever will sign along. */
export type OpenedByEach = {
  readonly openedBy: 'each'
  /** @throws ProtocolAbort `invalid_key` */
  open(options: { readonly key: SigningKey; readonly rng: RandomBytes }): Opened
}

/** Signers are known first, and open together: what they hold then works with none but each other, and all broadcast the same. */
export type OpenedByAll = {
  readonly openedBy: 'all'
  /** How many times each signer speaks until it has opened. */
  readonly rounds: number
  /**
   * `context` names the opening. Honest carriers give it once; where two openings in the same context would be dangerous it is the engine that tells
   * them apart, by what it draws. @throws ProtocolAbort `invalid_key`, `invalid_parameters`, `setup_missing`
   */
  open(options: {
    readonly key: SigningKey
    readonly signers: readonly PartyIndex[]
    readonly context: Uint8Array
    readonly rng: RandomBytes
  }): Participant<Opened>
}

/** Everything said in a signing ceremony that the coordinator needs, by signer: what each broadcast when it had opened, and its contribution. */
export type Transcript = {
  readonly publicPackage: Uint8Array
  readonly path: readonly number[]
  readonly signers: readonly PartyIndex[]
  readonly message: Uint8Array
  readonly broadcasts: ByParty
  readonly contributions: ByParty
}

/** `recoveryId` is there for ECDSA only. */
export type Signature = { readonly signature: Uint8Array; readonly recoveryId?: number }

/** What a public package says. */
export type PublicKeyInfo = Threshold & { readonly publicKey: Uint8Array }

export type ThresholdProtocol = {
  readonly scheme: string

  /** How many times each participant speaks. */
  readonly rounds: { readonly keyGeneration: number; readonly refresh: number; readonly recovery: number }

  /** How signers come to hold what a signature is made of. */
  readonly signing: OpenedByEach | OpenedByAll

  /**
   * Generates a key that nobody ever holds. `context` names the ceremony (key, attempt, participants): proofs made for one are worth
   * nothing in another. @throws ProtocolAbort `invalid_parameters`
   */
  keyGeneration(options: KeyGenerationOptions): Participant<KeyMaterial>

  /**
   * Gives all holders of a key new shares of it. Public key and chain code stay, the public package changes, and old and new shares do not go
   * together. All holders take part. @throws ProtocolAbort `invalid_key`, `invalid_parameters`
   */
  refresh(options: RefreshOptions): Participant<KeyMaterial>

  /**
   * Gives one participant its lost share back. Who helps ends with null. @throws ProtocolAbort `invalid_key`, `invalid_parameters`
   */
  recovery(options: RecoveryOptions): Participant<KeyMaterial | null>

  /** Whether other signers can work with what one broadcasts when it has opened. Never throws. */
  isOpening(broadcast: Uint8Array): boolean

  /** Makes sure that the share is one of the key, and its secret what the public package says. @throws ProtocolAbort `invalid_key` */
  checkShare(key: SigningKey): void

  /**
   * The share without what it holds for signing with one counterparty, which it signs along with no more, but with others. Where it holds nothing of
   * the kind it comes back as it is. There for schemes in which pairs of participants have secrets in common. @throws ProtocolAbort `invalid_key`,
   * `invalid_parameters`
   */
  withoutCounterparty?(key: SigningKey, counterparty: PartyIndex): Uint8Array

  /** The message a payload stands for: its bytes, or their digest where the scheme signs digests. */
  message(payload: Uint8Array): Uint8Array

  /**
   * Combines the contributions into a signature that verifies. Holds no secret.
   * @throws ProtocolAbort naming the signers whose messages are at fault
   */
  aggregate(transcript: Transcript): Signature

  /** Never throws: whatever is malformed does not verify. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean

  /** Reads a public package. @throws ProtocolAbort `invalid_key` */
  inspect(publicPackage: Uint8Array): PublicKeyInfo

  /** What `inspect` says of the key at a path; the holders and their number are the same. @throws ProtocolAbort `invalid_key`, `invalid_parameters` */
  derive(publicPackage: Uint8Array, path: readonly number[]): PublicKeyInfo
}

export type KeyGenerationOptions = Threshold & { readonly self: PartyIndex; readonly context: Uint8Array; readonly rng: RandomBytes }

/** `context` names the ceremony (key, epoch, attempt, participants), and all holders have to be given the same. */
export type RefreshOptions = { readonly key: SigningKey; readonly context: Uint8Array; readonly rng: RandomBytes }

export type RecoveryOptions = {
  /** Whose share is to be recovered. */
  readonly lost: PartyIndex
  /** Who helps: a quorum of the others. */
  readonly helpers: readonly PartyIndex[]
  readonly self: PartyIndex
  /** A helper's; who has lost its share has none. */
  readonly key?: SigningKey
  readonly publicPackage: Uint8Array
  /** Names the ceremony; all participants have to be given the same. */
  readonly context: Uint8Array
  readonly rng: RandomBytes
}

export type ProtocolAbortCode =
  /** The caller asked for something that cannot be: threshold, index, signers, path. */
  | 'invalid_parameters'
  /** A stored share or public package is malformed, or one does not belong to the other. */
  | 'invalid_key'
  /** A step was asked for twice, too early or too late. */
  | 'out_of_order'
  /** A participant is missing, or there is one too many. */
  | 'wrong_participants'
  /** What this participant is said to have said is not what it said. */
  | 'message_altered'
  /** A message is malformed: length, encoding, an element outside the group. */
  | 'invalid_message'
  /** A proof does not hold, or belongs to another ceremony. */
  | 'invalid_proof'
  /** A secret share does not fit what its sender has committed to. */
  | 'invalid_secret_share'
  /** What a participant reveals is not what it has committed to. */
  | 'commitment_mismatch'
  /** Participants were not told the same in the first round. Who lied, a participant or the carrier, cannot be known. */
  | 'equivocation'
  /** Participants did not arrive at, or do not start from, the same public package. */
  | 'package_mismatch'
  /** A contribution does not fit its sender's share and commitments. */
  | 'invalid_contribution'
  /** A multiplication with a counterparty does not check. Each failure may tell it something of the share: it is to be given no second try. */
  | 'invalid_multiplication'
  /** The share holds nothing for signing with a counterparty: never set up, or destroyed since. */
  | 'setup_missing'

/**
 * A ceremony cannot go on. `culprits` are those whose messages prove it; an accusation of a secret message is only as good as its accuser.
 */
export class ProtocolAbort extends Error {
  override readonly name = 'ProtocolAbort'
  constructor(
    readonly code: ProtocolAbortCode,
    message: string,
    readonly culprits: readonly PartyIndex[] = [],
  ) {
    super(message)
  }
}

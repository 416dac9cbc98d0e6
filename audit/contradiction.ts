/** What the log holds now is not what was signed, or stored, of it. Nothing more is signed then, for that would be a second story. */
export type ContradictionCode =
  /** The log is shorter than a checkpoint says. */
  | 'log_shortened'
  /** The log has other events than those of a checkpoint. */
  | 'log_rewritten'
  /** The last event of the tree is not in the log any more. */
  | 'leaf_missing'
  /** Checkpoints in the log do not go on from one another. */
  | 'checkpoints_broken'
  /** Checkpoints in the log are signed by another key, or not at all. */
  | 'checkpoint_of_another_key'

export class Contradiction extends Error {
  override readonly name = 'Contradiction'
  constructor(
    readonly code: ContradictionCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

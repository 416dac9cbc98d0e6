/** The newest checkpoint that a key has signed, kept where the key is: a log that was put back to an earlier state does not know of it any more. */
export interface LastSigned {
  read(): Promise<string | undefined>
  /** Durably. */
  write(note: string): Promise<void>
}

/** What the outside must provide so that what is stored for ever can be forgotten all the same: data keys, of each wallet its own, that can be destroyed. */
import type { Sealed } from '../personal-data/sealed.ts'

export interface DataKeys {
  /** For people: where the keys are, and what they are sealed by. */
  readonly description: string

  /**
   * Seals a text under the wallet's newest key, which is made when there is none. It opens for the same wallet and field only.
   * @throws Unavailable
   */
  seal(walletId: string, field: string, text: string): Promise<Sealed>

  /**
   * The text; undefined once the key it was sealed under is destroyed, which another process may notice up to five seconds later.
   * @throws UnsealFailed when it was altered, or is of another wallet or field; Unavailable
   */
  open(walletId: string, field: string, sealed: Sealed): Promise<string | undefined>

  /**
   * Makes a new key, which everything is sealed under from now on; what is sealed already still opens.
   * @returns its number: keys of a wallet count from 1
   * @throws Unavailable
   */
  renew(walletId: string): Promise<number>

  /** Destroys the wallet's keys with lower numbers. Done again it changes nothing. @throws Unavailable */
  eraseBefore(walletId: string, number: number): Promise<void>

  /** Resolves when keys can be opened. */
  ping(): Promise<void>

  close(): Promise<void>
}

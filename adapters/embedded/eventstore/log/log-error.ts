/**
 * Why a log cannot be used: its files are damaged (`log_corrupt`) or in another format (`log_format`), or nothing can be stored any more
 * since a write failed (`log_failed`).
 */
export type LogErrorCode = 'log_corrupt' | 'log_format' | 'log_failed'

/** The message begins with the code and is one line: where the damage is tells more than where the program was. */
export class LogError extends Error {
  override readonly name = 'LogError'

  constructor(
    readonly code: LogErrorCode,
    detail: string,
    options?: ErrorOptions,
  ) {
    super(`${code}: ${detail}`, options)
    this.stack = this.message
  }
}

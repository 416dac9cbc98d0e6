import { hash } from 'node:crypto'

/** SHA-256, 32 bytes. Node gives them as text in a third of the time that it takes to give them as a buffer. */
export const sha256 = (message: Uint8Array): Uint8Array => Buffer.from(hash('sha256', message, 'binary'), 'latin1')

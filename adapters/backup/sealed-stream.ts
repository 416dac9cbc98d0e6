import { createCipheriv, createDecipheriv } from 'node:crypto'
import { BackupRefused } from './refused.ts'

const CIPHER = 'aes-256-gcm'
const CHUNK_BYTES = 64 * 1024
const TAG_BYTES = 16
const NONCE_BYTES = 12

type Bytes = AsyncIterable<Buffer> | Iterable<Buffer>

/**
 * Seals a stream in chunks of 64 KiB, each with its number and whether it is the last in the nonce (STREAM: Hoang, Reyhanitabar, Rogaway, Vizár 2015; as in age): none can
 * be altered, moved, left out, added or cut off. The key must be used for one stream only. `associatedData` must be given again to open.
 */
export async function* sealStream(key: Buffer, associatedData: Uint8Array, plaintext: Bytes): AsyncGenerator<Buffer> {
  for await (const { chunk, number, isLast } of chunksOf(plaintext, CHUNK_BYTES)) {
    const cipher = createCipheriv(CIPHER, key, nonceOf(number, isLast)).setAAD(associatedData)
    yield Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()])
  }
}

/** What was sealed. A chunk is handed out once it is known to be whole, and the end only when it is the end. @throws BackupRefused `archive_damaged` */
export async function* openStream(key: Buffer, associatedData: Uint8Array, sealed: Bytes): AsyncGenerator<Buffer> {
  for await (const { chunk, number, isLast } of chunksOf(sealed, CHUNK_BYTES + TAG_BYTES)) {
    if (chunk.length < TAG_BYTES) throw damaged()
    const decipher = createDecipheriv(CIPHER, key, nonceOf(number, isLast), { authTagLength: TAG_BYTES }).setAAD(associatedData)
    const plaintext = decipher.update(chunk.subarray(0, -TAG_BYTES))
    decipher.setAuthTag(chunk.subarray(-TAG_BYTES))
    try {
      decipher.final()
    } catch {
      throw damaged()
    }
    yield plaintext
  }
}

function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeUIntBE(number, NONCE_BYTES - 1 - 6, 6)
  nonce[NONCE_BYTES - 1] = isLast ? 1 : 0
  return nonce
}

/** The stream in pieces of one size but for the last, which may be shorter, or empty when nothing came at all. */
async function* chunksOf(stream: Bytes, size: number): AsyncGenerator<{ chunk: Buffer; number: number; isLast: boolean }> {
  let waiting: Buffer = Buffer.alloc(0)
  let number = 0
  for await (const bytes of stream) {
    waiting = Buffer.concat([waiting, bytes])
    // Whether a whole one is the last is known only when more has come.
    while (waiting.length > size) {
      yield { chunk: waiting.subarray(0, size), number: number++, isLast: false }
      waiting = waiting.subarray(size)
    }
  }
  yield { chunk: waiting, number, isLast: true }
}

const damaged = () => new BackupRefused('archive_damaged', 'the archive was altered or cut off')

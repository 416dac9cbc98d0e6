import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'

/** A client's HTTP request as it was sent. */
export type Request = { method: string; path: string; body: string }

/** SHA-256 (hex) over method, path and body, each preceded by its length in 4 bytes, big-endian: names a request, whoever signs it and when. */
export function requestDigest({ method, path, body }: Request): string {
  const parts = [method, path, body].flatMap((part) => {
    const bytes = utf8ToBytes(part)
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, bytes.length)
    return [length, bytes]
  })
  return bytesToHex(sha256(concatBytes(...parts)))
}

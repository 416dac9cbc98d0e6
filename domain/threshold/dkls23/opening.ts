import { concatBytes } from '@noble/hashes/utils.js'
import { decodeElement } from '../shared-key/key-suite.ts'
import type { Presignature } from './re-randomisation.ts'
import { suite } from './suite.ts'

const TRANSCRIPT_BYTES = 32

/** What every signer of a presignature broadcasts, all of them the same. Layout: R (33) ‖ digest of the transcript (32). */
export function encodeOpening({ R, transcript }: Presignature): Uint8Array {
  return concatBytes(R.toBytes(), transcript)
}

/** Throws on malformed bytes. */
export function decodeOpening(bytes: Uint8Array): Presignature {
  if (bytes.length !== suite.elementBytes + TRANSCRIPT_BYTES) throw new Error('an opening is R and the digest of a transcript')
  return { R: decodeElement(suite, bytes.subarray(0, suite.elementBytes)), transcript: bytes.slice(suite.elementBytes) }
}

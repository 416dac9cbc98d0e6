import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { encodeFields } from '../fields.ts'
import type { CoordinatorReport } from '../ports/coordinators.ts'
import type { Identity } from '../ports/identity.ts'
import type { Witness } from './sayings.ts'

/**
 * A coordinator's report as it travels: the text that it has signed, JSON of a `CoordinatorReport`, by which coordinator of the registry and when (milliseconds since
 * 1970, and later each time). `signature` is Ed25519, hex.
 */
export type SignedReport = { by: string; at: number; report: string; signature: string }

/** @throws Unavailable */
export async function signReport(identity: Identity, at: number, report: CoordinatorReport): Promise<SignedReport> {
  const text = JSON.stringify(report)
  return { by: identity.id, at, report: text, signature: bytesToHex(await identity.sign(signedBytes(identity.id, at, text))) }
}

/** Whether a coordinator of the registry has said this. */
export function isReport({ by, at, report, signature }: SignedReport, { registry, verify }: Witness): boolean {
  const key = registry.coordinators.get(by)
  return key !== undefined && verify(key, signedBytes(by, at, report), hexToBytes(signature))
}

const signedBytes = (by: string, at: number, report: string): Uint8Array => encodeFields('quorate coordinator report', by, at, report)

import { encodeFields, type Field } from '../fields.ts'
import type { Identity, Registry, VerifyIdentity } from '../ports/identity.ts'

/** What it takes to tell whether a party has said something. */
export type Witness = { readonly registry: Registry; readonly verify: VerifyIdentity }

/** The bytes that a party signs when it says something. `purpose` keeps sayings of one kind from passing for those of another. */
const bytesOf = (from: string, purpose: string, fields: readonly Field[]): Uint8Array =>
  encodeFields('quorate saying', purpose, from, ...fields)

/** Signs what a party says, for whoever may come to read it, whoever carries it. 64 bytes. @throws Unavailable */
export function signSaying(speaker: Identity, purpose: string, ...fields: readonly Field[]): Promise<Uint8Array> {
  return speaker.sign(bytesOf(speaker.id, purpose, fields))
}

/** Whether the registry's party of this name has said it. Whoever has, and it is false, has lied. */
export function hasSaid(
  { registry, verify }: Witness,
  from: string,
  signature: Uint8Array,
  purpose: string,
  ...fields: readonly Field[]
): boolean {
  const keys = registry.parties.get(from)
  return keys !== undefined && verify(keys.signing, bytesOf(from, purpose, fields), signature)
}

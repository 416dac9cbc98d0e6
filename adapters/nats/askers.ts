import type { CeremonyKind, Header } from '../../domain/ceremony/messages.ts'
import type { Registry } from '../../domain/ports/identity.ts'

/** Who may ask a party for what. */
const ASKED_BY: { readonly [Kind in CeremonyKind]: readonly ('coordinator' | 'party')[] } = {
  'key-generation': ['coordinator'],
  signing: ['coordinator'],
  revocation: ['coordinator'],
}

/** The Ed25519 key that a request must be signed with; undefined when its sender is unknown or may not ask for this. */
export function keyOfAsker(registry: Registry, { kind, from }: Header): Uint8Array | undefined {
  const keys = {
    coordinator: registry.coordinators.get(from),
    party: registry.parties.get(from)?.signing,
  }
  const [role] = ASKED_BY[kind].filter((each) => keys[each] !== undefined)
  return role && keys[role]
}

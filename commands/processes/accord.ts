import { bytesToHex } from '@noble/hashes/utils.js'
import { CeremonyFailed, type Said } from './rounds.ts'

/**
 * All participants were told the same, so they must speak of the same, and in private to as many others: who does otherwise than most of them is at
 * fault. Left to those who hear it, it would stop the ceremony without anybody to blame but them.
 * @throws CeremonyFailed `invalid_reply`, naming those few; nobody when there is no majority
 */
export function requireAccord(said: ReadonlyMap<string, Said>): void {
  const parties = new Map<string, string[]>()
  for (const [id, { statement, secrets }] of said) {
    const others = new Set(secrets.map(({ to }) => to).filter((to) => to !== id && said.has(to)))
    const manner = `${bytesToHex(statement.transcript)} to ${others.size} of ${secrets.length}`
    parties.set(manner, [...(parties.get(manner) ?? []), id])
  }
  if (parties.size <= 1) return
  const most = [...parties.values()].find((ids) => ids.length > said.size / 2)
  throw new CeremonyFailed('invalid_reply', most ? [...said.keys()].filter((id) => !most.includes(id)) : [])
}

import { Gauge, type Registry } from 'prom-client'
import type { PartyDirectory, PartyHealth } from '../domain/ports/party-directory.ts'

const GAUGES: readonly { name: string; help: string; value(health: PartyHealth): number }[] = [
  {
    name: 'quorate_party_fenced',
    help: '1 while the party signs nothing because its store is older than what it has signed.',
    value: ({ fenced }) => Number(fenced),
  },
  {
    name: 'quorate_party_claims_refused',
    help: 'How often since its start the party was asked to sign what contradicts an earlier signature.',
    value: ({ claimsRefused }) => claimsRefused,
  },
  {
    name: 'quorate_party_unwritten_bans',
    help: 'How many counterparties the party has banned from a key without being able to write it down: a restart would forget them.',
    value: ({ unwrittenBans }) => unwrittenBans,
  },
]

/** Registers gauges of what the parties say of themselves; nothing is told of one that has not been heard of. */
export function observeParties(registry: Registry, parties: Pick<PartyDirectory, 'ids' | 'health'>): void {
  for (const { name, help, value } of GAUGES) {
    new Gauge({
      name,
      help,
      labelNames: ['party'],
      registers: [registry],
      collect() {
        this.reset()
        for (const party of parties.ids) {
          const health = parties.health(party)
          if (health) this.set({ party }, value(health))
        }
      },
    })
  }
}

import test from 'ava'
import { Registry } from 'prom-client'
import type { PartyHealth } from '../domain/ports/party-directory.ts'
import { observeParties } from './party-metrics.ts'

test('a party that is fenced, how many claims each has refused, and how many bans it has not written, can be measured', async (t) => {
  const heard: { [party: string]: Partial<PartyHealth> } = {
    'party-1': { fenced: true, claimsRefused: 3, unwrittenBans: 1 },
    'party-2': { fenced: false, claimsRefused: 0, unwrittenBans: 0 },
  }
  const registry = new Registry()
  observeParties(registry, { ids: ['party-1', 'party-2', 'party-3'], health: (id) => heard[id] as PartyHealth | undefined })
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('quorate'))
  t.deepEqual(lines, [
    'quorate_party_fenced{party="party-1"} 1',
    'quorate_party_fenced{party="party-2"} 0',
    'quorate_party_claims_refused{party="party-1"} 3',
    'quorate_party_claims_refused{party="party-2"} 0',
    'quorate_party_unwritten_bans{party="party-1"} 1',
    'quorate_party_unwritten_bans{party="party-2"} 0',
  ])
})

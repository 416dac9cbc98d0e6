import test from 'ava'
import fc from 'fast-check'
import { type CircuitChange, createPartyStanding } from './party-standing.ts'

const IDS = ['a', 'b', 'c', 'd', 'e']

function standing({ down = [] as string[], random = (): number => 0 } = {}) {
  const clock = { now: 1_700_000_000_000 }
  const changes: CircuitChange[] = []
  const kept = createPartyStanding({
    parties: IDS,
    isUp: (id) => !down.includes(id),
    now: () => clock.now,
    random,
    onChange: (change) => changes.push(change),
  })
  const fail = (id: string, times = 1) => {
    for (let i = 0; i < times; i++) kept.failed(id, 'absent')
  }
  return { ...kept, clock, changes, fail, circuit: (id: string) => kept.reports().find(({ partyId }) => partyId === id)?.circuit }
}

test('the healthiest come first, those that failed lately behind them, and those that are silent last', (t) => {
  const { rank, answered, fail } = standing({ down: ['a'] })
  answered('b', 800)
  answered('c', 10)
  fail('d')
  answered('e', 400)
  t.deepEqual(rank(IDS, 3), ['c', 'e', 'b', 'd', 'a'])
})

test('among equals each comes first at some time, and a clearly worse one never', (t) => {
  const { rank, answered } = standing({ random: Math.random })
  answered('e', 900)
  const first = new Set(Array.from({ length: 300 }, () => rank(IDS, 3)[0]))
  t.deepEqual([...first].sort(), ['a', 'b', 'c', 'd'])
})

test('a party whose breaker is open is left out while there is one to spare, and comes last otherwise', (t) => {
  const { rank, fail } = standing()
  fail('a', 3)
  t.false(rank(IDS, 3).includes('a'))
  t.deepEqual(rank(['a', 'b', 'c'], 2), ['b', 'c', 'a'])
  fail('b', 3)
  t.deepEqual(rank(['a', 'b', 'c'], 3).length, 3)
})

test('whatever is open, as many as are needed can be asked if there are as many', (t) => {
  const happening = fc.tuple(fc.constantFrom(...IDS), fc.constantFrom('absent', 'refused', 'proven', 'answered', 'ping', 'time'))
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 100 }), fc.integer({ min: 1, max: 5 }), (happenings, needed) => {
      const { rank, failed, answered, pinged, clock } = standing()
      for (const [id, what] of happenings) {
        if (what === 'answered') answered(id, 10)
        else if (what === 'ping') pinged(id, false)
        else if (what === 'time') clock.now += 7_000
        else failed(id, what)
        const ranked = rank(IDS, needed)
        if (ranked.length < needed || new Set(ranked).size !== ranked.length) return false
      }
      return true
    }),
  )
  t.pass()
})

test('when its time is over one session has the party among those asked first, and no other until it is heard of', (t) => {
  const { rank, fail, answered, clock, circuit } = standing()
  fail('a', 3)
  clock.now += 30_000
  t.is(circuit('a'), 'half_open')
  t.is(rank(IDS, 3)[2], 'a')
  t.false(rank(IDS, 3).includes('a'))
  answered('a', 10)
  t.is(circuit('a'), 'closed')
})

test('a probe that fails leaves the party out for twice as long', (t) => {
  const { rank, fail, clock, circuit } = standing()
  fail('a', 3)
  clock.now += 30_000
  rank(IDS, 3)
  fail('a')
  clock.now += 59_999
  t.is(circuit('a'), 'open')
  clock.now += 1
  t.is(circuit('a'), 'half_open')
})

test('who was wrong pays for it: its circuit opens and its score falls below those of all others', (t) => {
  const { answered, failed, circuit, reports } = standing()
  for (const id of IDS) for (let i = 0; i < 50; i++) answered(id, id === 'b' ? 100 : 10)
  failed('b', 'proven')
  t.is(circuit('b'), 'open')
  const scores = new Map(reports().map(({ partyId, score }) => [partyId, score]))
  t.true(IDS.every((id) => id === 'b' || scores.get('b')! < scores.get(id)! - 0.05))
})

test('an operator can close a circuit, and that nothing is held against the party; again changes nothing', (t) => {
  const { fail, forceClose, reports, changes, circuit } = standing()
  fail('a', 3)
  forceClose('a')
  const after = reports()
  t.like(after[0], { partyId: 'a', circuit: 'closed', failuresInARow: 0, score: 1, openUntil: null })
  forceClose('a')
  t.deepEqual(reports(), after)
  fail('a', 2)
  t.is(circuit('a'), 'closed')
  t.deepEqual(
    changes.map(({ to, reason }) => `${to} ${reason}`),
    ['open failures_in_a_row', 'closed forced'],
  )
})

test('every change of a circuit is told once', (t) => {
  const { fail, pinged, answered, clock, changes } = standing()
  fail('a', 5)
  clock.now += 30_000
  pinged('a', false)
  pinged('a', false)
  clock.now += 60_000
  pinged('a', true)
  answered('a', 10)
  answered('a', 10)
  t.deepEqual(
    changes.map(({ from, to, reason }) => `${from} ${to} ${reason}`),
    ['closed open failures_in_a_row', 'half_open open probe_failed', 'half_open closed answered'],
  )
})
